import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claudeAgent, claudeScenarios, claudeStories, spent, toolsOf } from '../contract/claude-runs.ts'
import { openModel, realKey, use, type Model } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { openCrew, sandboxes, until, type Crew } from '../support/crew.ts'
import { openPlace } from '../support/place.ts'
import { untilSettled } from '../support/service-process.ts'

/** The model's own memory of what it refused. */
const refused = { overloaded: 0 }
const path = `${claude.folder}:${process.env['PATH'] ?? ''}`

let model: Model
let crew: Crew
beforeAll(async () => {
  model = await openModel({
    ...claudeScenarios,
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
  })
  crew = await openCrew({ PATH: path, ANTHROPIC_API_KEY: realKey, ANTHROPIC_BASE_URL: model.url })
})
afterAll(async () => {
  await crew[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})

for (const { sandbox, title, skip } of sandboxes)
  describe.skipIf(claude.skip || skip)(`engine: claude in ${title}${claude.note}`, () => {
    claudeStories(sandbox, () => crew)
  })

describe.skipIf(claude.skip)(`engine: claude that comes to an end${claude.note}`, () => {
  test('of its money, or of its turns: named, billed, and the change is kept', async () => {
    const poor = await crew.run('poor', claudeAgent('endless', 'process', { limits: { usd: 0.01 } }))
    expect(poor).toMatchObject({
      state: 'failed',
      reason: 'budget',
      files: 1,
      message: expect.stringContaining('kept'),
    })
    expect((await spent(crew, poor)).costUsd).toBeGreaterThan(0.009)
    const short = await crew.run('short', claudeAgent('endless', 'process', { limits: { turns: 2 } }))
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
      await until(30, async () => ((await toolsOf(service, run)) === 0 ? ['no tool yet'] : []))
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
    const ended = await crew.run('hangs', claudeAgent('hangs', 'process', { limits: { minutes: 0.15 } }))
    expect(ended).toMatchObject({ state: 'timed_out', reason: 'time_limit', files: 1 })
    expect(ended.seconds).toBeLessThan(9 + 15)
    // Tokens are counted outside of it; money is what it says within five seconds, for which a busy machine has no time.
    expect((await spent(crew, ended)).tokens).toMatchObject({ input: 1000, output: 200 })
  })

  test('of a model without room, before it did anything: it is begun again', async () => {
    const ended = await crew.run('patience', claudeAgent('patience', 'process'))
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
