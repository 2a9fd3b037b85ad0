import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRepository, git } from '../support/git-repository.ts'
import { openPlace, routineText, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

// All of the work, on real git and with real agents, and nothing at the forge.
let place: Place
let service: ServiceProcess
const evil = '\u001b]0;owned\u0007@everyone'
const writes = `require('fs').writeFileSync('note.md', 'one\\n'); console.log('Wrote the note that was missing')`
beforeAll(async () => {
  place = await openPlace()
  const output = { pull_request: { draft: false, labels: ['docs'] } }
  place.routine('note', {
    program: writes,
    more: { output, description: `Notes for ${JSON.stringify(evil).slice(1, -1)}` },
  })
  place.routine('linker', { program: `require('fs').symlinkSync('/etc/passwd', 'link')` })
  place.routine('fails', { program: 'process.exit(3)', more: { pause_after: 1 } })
  place.routine('next', { program: writes, more: { on: { after: { routine: 'note' } } } })
  service = await place.start({ env: { OVERNIGHT_CONCURRENCY: '4' } })
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const refs = () =>
  git(
    place.repository,
    'for-each-ref',
    '--format=%(refname) %(objectname)',
    'refs/heads/main',
    'refs/heads/overnight/note',
  )
type Trial = { run: string; state: string; proposal: Record<string, unknown> | null; diff: string; findings: unknown[] }
async function trial(...args: string[]): Promise<Trial> {
  const ended = await place.overnight(['trial', ...args, '--json'])
  expect(ended.stdout).toMatch(/^\{[^\n]*\}\n$/)
  return JSON.parse(ended.stdout) as Trial
}
async function routineRuns(routine: string): Promise<{ run: string }[]> {
  return (await service.get<{ runs: { run: string }[] }>(`/v1/runs?routine=${routine}`)).runs
}

test('shows the change and what would be posted, and leaves the forge as it was', async () => {
  const before = refs()
  const tried = await trial('note')
  expect(tried).toMatchObject({
    state: 'reported',
    branch: null,
    pullRequest: null,
    files: 1,
    proposal: {
      branch: 'overnight/note/main',
      base: 'main',
      title: 'Wrote the note that was missing',
      draft: false,
      labels: ['docs'],
      updates: null,
    },
  })
  expect(tried.diff).toContain('+one')
  expect(tried.proposal!['body']).toContain(`run \`${tried.run}\``)
  expect(refs()).toBe(before)
  expect((await service.get<{ pulls: unknown[] }>('/v1/pulls')).pulls).toEqual([])
  const page = await (await service.fetch(`/runs/${tried.run}`)).text()
  expect(page).toContain('What would be posted')
  expect(page).toContain('A trial: nothing is published')
})

test('the same words for people, without what a terminal would obey', async () => {
  const { code, stdout } = await place.overnight(['trial', 'note'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^reported – a trial: nothing is published\n/)
  expect(stdout).toContain(
    'What would be posted: a new pull request\n  overnight/note/main → main\n  labels: docs\n┌\n│ Wrote the note',
  )
  expect(stdout).toContain('+one')
  expect(stdout).not.toContain('\u001b')
})

describe('beside the real thing', () => {
  test('it says which pull request it would update, and when that holds the change already', async () => {
    const { run } = await service.post<{ run: string }>('/v1/routines/note/fire', {})
    const real = await untilSettled(service, run)
    expect(real.state).toBe('published')
    const before = refs()
    expect(await trial('note')).toMatchObject({ proposal: { branch: 'overnight/note/main', updates: 1 } })
    const held = await place.overnight(['trial', 'note'])
    expect(held.stdout).toMatch(/^reported – a trial: the open pull request #1 already holds this change\n/)
    expect(refs()).toBe(before)
  })

  test('nothing follows it, nothing is paused by it, and it is no last success', async () => {
    const failed = await trial('fails')
    expect(failed).toMatchObject({ state: 'failed', reason: 'agent_exit', proposal: null })
    const rows = await service.get<{ routines: { name: string; paused: unknown }[] }>('/v1/routines')
    expect(rows.routines.find(({ name }) => name === 'fails')).toMatchObject({ paused: null })
    // Of the runs of `note` one was for real; of those of `next` none is by a trial.
    const notes = await routineRuns('note')
    expect(notes.length).toBeGreaterThan(1)
    expect(await routineRuns('next')).toHaveLength(1)
  })

  test('what the gate finds is said, and nobody is asked', async () => {
    const tried = await trial('linker')
    expect(tried).toMatchObject({ state: 'reported', findings: [{ rule: expect.any(String) as string, path: 'link' }] })
    const message = (await service.get<{ message: string }>(`/v1/runs/${tried.run}`)).message
    expect(message).toMatch(/^a trial: a person would be asked before it is published: /)
  })

  test('a retry of it is one, too; a key stands for one of both kinds', async () => {
    const first = (await routineRuns('linker'))[0]!.run
    const again = await service.post<{ run: string; trial: boolean }>(`/v1/runs/${first}/retry`)
    expect(again.trial).toBe(true)
    expect((await untilSettled(service, again.run)).state).toBe('reported')
    const headers = { 'idempotency-key': 'once' }
    const post = (body: object) =>
      service.fetch('/v1/routines/linker/fire', {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      })
    const [real, tried, twice] = [await post({}), await post({ trial: true }), await post({ trial: true })]
    const run = async (answer: Response) => ((await answer.json()) as { run: string }).run
    const ids = [await run(real), await run(tried), await run(twice)]
    expect(ids[1]).toBe(ids[2])
    expect(ids[0]).not.toBe(ids[1])
  })
})

describe('of a file that is not in the folder', () => {
  test('without changes it is unchanged', async () => {
    const repository = createRepository(join(place.folder, 'other'))
    const file = join(place.folder, 'idle.md')
    writeFileSync(file, routineText({ repository: '/nowhere', program: '' }))
    expect(await trial(file, '--repository', repository)).toMatchObject({
      state: 'unchanged',
      proposal: null,
      diff: '',
    })
  })

  test.each([
    [['nowhere.md'], /nowhere.md cannot be read/],
    [['unknown'], /there is no routine "unknown"/],
    [['note', '--repository', '.'], /--repository is for a routine file/],
    [['./idle.md', '--text', 'x'], /--text and --payload are for routines of the folder/],
  ])('%j says what is wrong', async (args, said) => {
    const ended = await place.overnight(['trial', ...args])
    expect(ended.code).not.toBe(0)
    expect(ended.stderr).toMatch(said)
  })
})
