import { expect, test, vi } from 'vitest'
import { OvernightError } from '../../../src/errors.ts'
import type { Delivery } from '../../../src/ledger/schema.ts'
import { createNames } from '../../../src/triggers/github/names.ts'
import { createGitHubSource } from '../../../src/triggers/github/source.ts'
import { judge } from '../../../src/triggers/judge.ts'
import { readGood, routineText } from '../../routines/reading/reading.ts'

const push = readGood(routineText('on: { github: { event: push } }'))
const pushTo = (name: string): Delivery => ({
  id: 'd1',
  source: 'github',
  key: '1',
  signed: null,
  event: 'push',
  headers: {},
  body: Buffer.from(
    JSON.stringify({ ref: 'refs/heads/main', repository: { full_name: name }, sender: { login: 'ada' } }),
  ),
  action: null,
  repository: null,
  sender: null,
  subject: null,
  outcome: null,
  reason: null,
  replayOf: null,
  tries: 0,
  error: null,
  notBefore: new Date(),
  receivedAt: new Date(),
  settledAt: null,
  bodyRemovedAt: null,
})
/** GitHub, asked what repositories are called: each question, and its answer to be given. */
function openDesk() {
  const asked = new Map<string, (present: string) => void>()
  const nameOf = (name: string) => new Promise<string>((resolve) => void asked.set(name, resolve))
  return { asked, isSignedIn: true, nameAt: (written: string): string | undefined => written, nameOf }
}
function sourceWith(desk: ReturnType<typeof openDesk>) {
  const github = {
    ...desk,
    self: () => Promise.resolve(undefined),
    permissionOf: () => Promise.resolve('write'),
    changedFiles: () => Promise.resolve([]),
    isFromFork: () => Promise.resolve(false),
  }
  return createGitHubSource({ github, runDepth: () => Promise.resolve(undefined) })
}
const routinesOf = (...repositories: string[]) =>
  repositories.map((repository) => ({ ...push, name: repository, repository }))
const firedBy = async (judging: ReturnType<typeof judge>) => {
  const judged = await judging
  return 'judged' in judged ? judged.judged.map(({ routine }) => routine.name) : judged.refused
}

test('an event of a repository that a routine names waits for no answer about the others', async () => {
  const desk = openDesk()
  const routines = routinesOf(...Array.from({ length: 300 }, (_, index) => `acme/r${index}`))
  expect(await firedBy(judge(pushTo('Acme/R299'), sourceWith(desk), routines))).toEqual(['acme/r299'])
  expect(desk.asked.size).toBe(4)
})

test('one of a repository that nobody names is judged again when it is known whose it is', async () => {
  const desk = openDesk()
  const source = sourceWith(desk)
  const look = () => firedBy(judge(pushTo('acme/new'), source, routinesOf('acme/old', 'acme/other')))
  const refused = await look().catch((error: unknown) => error)
  expect(refused).toMatchObject({ retryable: true, message: 'GitHub is being asked whether acme/old is acme/new now' })
  expect(refused).toBeInstanceOf(OvernightError)
  desk.asked.get('acme/old')!('acme/new')
  desk.asked.get('acme/other')!('acme/other')
  await vi.waitFor(async () => expect(await look()).toEqual(['acme/old']), { interval: 1 })
  expect(await firedBy(judge(pushTo('acme/else'), source, routinesOf('acme/old')))).toEqual([])
})

test('an event that no routine can be for says so, and asks nobody', async () => {
  const desk = openDesk()
  const whyOf = async (repository: string, event = 'push') => {
    const judged = await judge(
      { ...pushTo('Acme/Shop'), event },
      sourceWith({ ...desk, isSignedIn: false, nameAt }),
      routinesOf(repository),
    )
    return 'why' in judged ? judged.why : judged.refused
  }
  const nameAt = (written: string) =>
    written.startsWith('./') ? undefined : written.replace('https://forge.test/', '')
  const nobody = 'no routine with on.github names Acme/Shop as its repository'
  for (const other of ['acme/other', './acme/shop', 'acme/shop-2', 'not-acme/shop'])
    expect(await whyOf(other)).toBe(nobody)
  for (const same of ['acme/shop', 'https://forge.test/ACME/shop'])
    expect(await whyOf(same, 'star')).toContain(' wants ')
  expect(desk.asked.size).toBe(0)
})

test('a name is asked for once an hour, and not while events bear it; meanwhile the answer before is good', async () => {
  const desk = openDesk()
  let now = 0
  const names = createNames({ ...desk, now: () => now })
  expect(names.means('acme/busy', 'acme/busy')).toBe(true)
  expect([names.means('acme/seen', 'acme/new'), names.means('acme/new', 'acme/busy')]).toEqual([undefined, false])
  desk.asked.get('acme/seen')!('acme/new')
  await vi.waitFor(() => expect(names.means('acme/seen', 'acme/new')).toBe(true), { interval: 1 })
  expect([...desk.asked.keys()]).toEqual(['acme/seen'])
  desk.asked.clear()
  now = 3_600_001
  expect([names.means('ACME/seen', 'acme/new'), names.means('acme/seen', 'acme/new')]).toEqual([true, true])
  expect([...desk.asked.keys()]).toEqual(['ACME/seen'])
})

test('without anybody to ask, a repository is called what is written', () => {
  const desk = { ...openDesk(), isSignedIn: false }
  const names = createNames(desk)
  expect([names.means('acme/a', 'Acme/A'), names.means('acme/a', 'acme/b'), desk.asked.size]).toEqual([true, false, 0])
})
