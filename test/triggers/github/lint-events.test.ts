import { expect, test } from 'vitest'
import { formatProblem } from '../../../src/routines/format.ts'
import { lintEvents } from '../../../src/triggers/github/lint-events.ts'
import { readGood, routineText } from '../../routines/reading/reading.ts'

const warningsOf = (on: string) => lintEvents(readGood(routineText(`on:\n  github: ${on}`))).map(formatProblem)

test.for([
  ['{ event: pull_request, actions: [opened, synchronize] }', []],
  ['{ event: push }', []],
  ['{ command: fix }', []],
  [
    '{ event: pull_requests }',
    ['5:20: GitHub is not known to have the event "pull_requests" – did you mean "pull_request"?'],
  ],
  [
    '{ event: issues, actions: [opened, openend] }',
    ['5:46: the event issues is not known to have the action "openend" – did you mean "opened"?'],
  ],
] as const)('%s', ([on, wanted]) => {
  expect(warningsOf(on)).toEqual(wanted.map((line) => `/srv/routines/x.md:${line}`))
})
