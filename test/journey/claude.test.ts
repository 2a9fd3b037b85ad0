import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openModel, realKey, use, type Model } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { openCrew, sandboxes, until, type Agent, type Crew, type Settled } from '../support/crew.ts'
import { git } from '../support/git-repository.ts'
import { openPlace } from '../support/place.ts'
import { untilSettled } from '../support/service-process.ts'

/** The model's own memory of what it refused. */
const refused = { overloaded: 0 }
const path = `${claude.folder}:${process.env['PATH'] ?? ''}`

type Spent = Settled & {
  costUsd: number | null
  tokens: { input: number; output: number } | null
}

const agent = (scenario: string, sandbox: string, more: Record<string, unknown> = {}): Agent => ({
  prompt: `SCENARIO:${scenario} please`,
  more: { engine: 'claude', sandbox, ...more },
})

let model: Model
let crew: Crew
beforeAll(async () => {
  model = await openModel({
    note: ({ step }) =>
      [
        use(
          'Bash',
          { command: 'echo "<script>alert(1)</script>" > note.md', description: 'Write it' },
          'I will look around.',
        ),
        use('Bash', { command: 'cat note.md no-such-file' }),
      ][step] ?? { content: '## Wrote the note that was missing\n\nAll is well.' },
    endless: ({ step }) => use('Bash', { command: `echo ${step} >> turns.txt` }),
    patience: ({ step }) => {
      if (step === 0 && refused.overloaded < 3) {
        refused.overloaded += 1
        return { error: { message: 'overloaded', type: 'overloaded_error' }, status: 529 }
      }
      return step === 0 ? use('Bash', { command: 'echo late > late.md' }) : { content: 'Wrote it in the end.' }
    },
    hangs: ({ step }) =>
      step === 0
        ? use('Bash', { command: 'echo x > half.txt; tail -f /dev/null', timeout: 60_000 })
        : { content: 'Up.' },
    sleeps: ({ step }) =>
      step === 0 ? use('Bash', { command: 'tail -f /dev/null', timeout: 60_000 }) : { content: 'Slept.' },
  })
  crew = await openCrew({ PATH: path, ANTHROPIC_API_KEY: realKey, ANTHROPIC_BASE_URL: model.url })
})
afterAll(async () => {
  await crew[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})
const spent = (run: { run: string }) => crew.service.get<Spent>(`/v1/runs/${run.run}`)

describe.skipIf(claude.skip).for(sandboxes)(`engine: claude in $title${claude.note}`, ({ sandbox, skip }) => {
  test.skipIf(skip)('one pull request, with what it cost; the same again is still one', async () => {
    const repository = crew.repository(`shop-${sandbox}`)
    const ended = await crew.run(`note-${sandbox}`, { ...agent('note', sandbox), repository })
    expect(ended).toMatchObject({ state: 'published', sandbox, title: 'Wrote the note that was missing', files: 1 })
    const branch = `overnight/note-${sandbox}/main`
    expect(git(repository, 'show', `${branch}:note.md`)).toBe('<script>alert(1)</script>')
    expect(git(repository, 'rev-parse', branch)).toBe(ended.commit)

    const bill = await spent(ended)
    expect(bill).toMatchObject({ engine: 'claude', tokens: { input: 3000, output: 600, cacheRead: 0, cacheWrite: 0 } })
    expect(bill.costUsd).toBeGreaterThan(0.001)

    const page = await (await crew.service.fetch(`/runs/${ended.run}`)).text()
    expect(page).toContain('3,000 in; 600 out')
    expect(page).toMatch(/<dt>Session<\/dt>\s*<dd><code>[\w-]{36}/)
    expect(page).toMatch(/<span class="what">Bash cat note.md no-such-file<\/span>\s*<b>failed<\/b>/)
    expect(page).toContain('&lt;script&gt;alert(1)')
    expect(page).not.toContain('<script>alert')
    const logs = await crew.place.overnight(['logs', ended.run])
    expect(logs.stdout).toMatch(
      /I will look around\.\n── Bash echo[^\n]*\n── Bash cat note\.md no-such-file\n── failed: Bash cat/,
    )

    const again = await crew.run(`note-${sandbox}`, { ...agent('note', sandbox), repository })
    expect(again).toMatchObject({ state: 'unchanged', pullRequest: { number: 1 }, commit: ended.commit })
  })

  test.skipIf(skip)('cancelled at work: billed, and nothing of it is left', async () => {
    const run = await crew.start(`sleeps-${sandbox}`, agent('sleeps', sandbox))
    await until(30, async () => ((await crew.said(run)) === '' && (await toolsOf(run)) === 0 ? ['no tool yet'] : []))
    await crew.service.post(`/v1/runs/${run}/cancel`)
    expect(await crew.settled(run)).toMatchObject({ state: 'cancelled', reason: 'cancelled' })
    await crew.nothingLeft(run)
    expect((await spent({ run })).tokens).toMatchObject({ input: 1000, output: 200 })
  })
})

async function toolsOf(run: string, service = crew.service): Promise<number> {
  const events = await (await service.fetch(`/v1/runs/${run}/events?follow=no`)).text()
  return events.split('event: tool_call\n').length - 1
}

describe.skipIf(claude.skip)(`engine: claude that comes to an end${claude.note}`, () => {
  test('of its money, or of its turns: named, billed, and the change is kept', async () => {
    const poor = await crew.run('poor', agent('endless', 'process', { limits: { usd: 0.01 } }))
    expect(poor).toMatchObject({
      state: 'failed',
      reason: 'budget',
      files: 1,
      message: expect.stringContaining('kept'),
    })
    expect((await spent(poor)).costUsd).toBeGreaterThan(0.009)
    const short = await crew.run('short', agent('endless', 'process', { limits: { turns: 2 } }))
    expect(short).toMatchObject({ state: 'failed', reason: 'turn_limit', files: 1 })
    expect(await crew.diff(short.run)).toContain('+1')
  })

  test('of its money, over a restart: what an earlier attempt spent is gone', async () => {
    using place = await openPlace()
    const env = { PATH: path, ANTHROPIC_API_KEY: realKey, ANTHROPIC_BASE_URL: model.url }
    place.routine('sleeps', { more: { engine: 'claude', limits: { usd: 0.015 } }, prompt: 'SCENARIO:sleeps please' })
    let run = ''
    {
      await using service = await place.start({ env })
      run = (await service.post<{ run: string }>('/v1/routines/sleeps/fire')).run
      await until(30, async () => ((await toolsOf(run, service)) === 0 ? ['no tool yet'] : []))
    }
    await using service = await place.start({ env })
    expect(await untilSettled(service, run)).toMatchObject({
      state: 'failed',
      reason: 'budget',
      message: expect.stringMatching(/maximum budget \(\$0\.00\d+\)/),
    })
    expect(await service.get(`/v1/runs/${run}`)).toMatchObject({ tokens: { input: 2000 } })
  })

  test('of its time: stopped, billed, and the change is kept', async () => {
    const ended = await crew.run('hangs', agent('hangs', 'process', { limits: { minutes: 0.15 } }))
    expect(ended).toMatchObject({ state: 'timed_out', reason: 'time_limit', files: 1 })
    expect(ended.seconds).toBeLessThan(9 + 15)
    // Tokens are counted outside of it; money is what it says within five seconds, for which a busy machine has no time.
    expect((await spent(ended)).tokens).toMatchObject({ input: 1000, output: 200 })
  })

  test('of a model without room, before it did anything: it is begun again', async () => {
    const ended = await crew.run('patience', agent('patience', 'process'))
    expect(ended).toMatchObject({ state: 'published', title: 'Wrote it in the end.' })
    expect(refused.overloaded).toBe(3)
  })

  test.for([
    ['no Claude Code', { PATH: '/usr/bin:/bin', ANTHROPIC_API_KEY: realKey }, 'no_agent', /npm install/],
    ['no key', { PATH: path }, 'model_sign_in', /ANTHROPIC_API_KEY/],
    ['a key that is none', { PATH: path, ANTHROPIC_API_KEY: 'sk-none' }, 'model_sign_in', /401/],
  ] as const)('with %s', async ([, env, reason, message]) => {
    using place = await openPlace()
    const file = place.routine('note', { more: { engine: 'claude' }, prompt: 'SCENARIO:note please' })
    const ended = await place.overnight(['run', file, '--json'], { env: { ANTHROPIC_BASE_URL: model.url, ...env } })
    expect({ code: ended.code, ...JSON.parse(ended.stdout) }).toMatchObject({ code: 1, state: 'failed', reason })
    expect(ended.stderr).toMatch(message)
  })
})

test.skipIf(claude.skip)(`the key is in no log and no file of the service${claude.note}`, async () => {
  expect(crew.service.log()).not.toContain(realKey)
  const entries = await readdir(crew.place.data, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  expect(files.some((file) => file.includes('transcripts'))).toBe(true)
  const holding: string[] = []
  for (const file of files) if ((await readFile(file)).includes(realKey)) holding.push(file)
  expect(holding).toEqual([])
})
