import { expect, test } from 'vitest'
import { readRoutine } from '../../../src/routines/reading/read.ts'
import { readGood, readOptions } from './reading.ts'

type Legs = { on?: string; more?: string }
const textOf = ({ on = '{ github: { event: issues } }', more = 'repository: acme/shop' }: Legs) =>
  `---\non: ${on}\nengine: claude\n${more}\n---\nDo it.\n`

function problemsOf(legs: Legs): string[] {
  const read = readRoutine('/srv/routines/x.md', textOf(legs), readOptions)
  return 'problems' in read ? read.problems.map(({ line, message, hint }) => `${line}: ${message} – ${hint}`) : []
}

const inAll = 'repository: acme/shop\nnetwork: open'
const own = 'repository: acme/shop\nnetwork: [paste.example]'

test.for<[string, Legs, string]>([
  [
    'network: open',
    { more: inAll },
    '5: whoever writes issues, comments and pull requests can have what the agent sees sent away: network: open – list the hosts that it needs, or write allow_trifecta: true if that is meant',
  ],
  [
    'a host',
    { more: 'repository: acme/shop\nnetwork: [npm, paste.example]' },
    'paste.example is reached – take the host out',
  ],
  [
    'process',
    { more: 'sandbox: process\nrepository: acme/shop' },
    '4: whoever writes issues, comments and pull requests can have what the agent sees sent away: sandbox: process limits no network – take another sandbox',
  ],
  ['a command', { on: '{ github: { command: fix } }', more: inAll }, 'issues, comments'],
  ['a webhook', { on: '{ webhook: { source: sentry } }', more: inAll }, 'whoever writes events of sentry'],
  ['another routine', { on: '{ after: { routine: triage } }', more: inAll }, 'whoever writes what triage hands on'],
  [
    'a pull request',
    { on: '{ github: { event: pull_request } }', more: `${inAll}\ncheckout: pull_request` },
    'whoever writes pull requests can',
  ],
  [
    'what a connector tells',
    { on: '{ schedule: { cron: "0 2 * * *" } }', more: `${inAll}\nconnectors: [linear]` },
    'whoever writes what linear tells can',
  ],
  [
    'a page that is fetched',
    { on: '{ schedule: { cron: "0 2 * * *" }, api: true }', more: inAll },
    '5: whoever writes a page that it fetches can have what the agent sees sent away: network: open – list the hosts that it needs, or write allow_trifecta: true if that is meant',
  ],
  ['a page, and nobody but people', { on: 'manual', more: inAll }, 'whoever writes a page that it fetches can'],
  ['a connector', { more: 'connectors: [linear]\noutput: report\nnetwork: open' }, 'network: open'],
])('%s', ([, legs, said]) => {
  expect(problemsOf(legs)).toEqual([expect.stringContaining(said)])
})

test.for<[string, Legs]>([
  ['said so', { more: `${inAll}\nallow_trifecta: true` }],
  ['no strangers', { on: '{ schedule: { cron: "0 2 * * *" } }', more: own }],
  ['only people', { on: 'manual', more: own }],
  ['who holds a token answers for the words', { on: '{ api: true }', more: own }],
  ['no network', { on: '{ api: true }', more: 'repository: acme/shop\nnetwork: none' }],
  ['nothing private', { more: 'output: report\nnetwork: open' }],
  ['no way out', {}],
  ['packages', { more: 'repository: acme/shop\nnetwork: [registries]' }],
])('%s', ([, legs]) => {
  expect(problemsOf(legs)).toEqual([])
})

test('what strangers write goes nowhere without walls, unless the file says so', () => {
  expect(readGood(textOf({})).needsWalls).toBe(true)
  const pull = { on: '{ github: { event: pull_request } }', more: 'checkout: pull_request\noutput: report' }
  expect(readGood(textOf(pull)).needsWalls).toBe(true)
  expect(readGood(textOf({ more: 'repository: a/b\nallow_trifecta: true' })).needsWalls).toBe(false)
  expect(readGood(textOf({ on: '{ api: true }' })).needsWalls).toBe(false)
})
