import { describe, expect, test } from 'vitest'
import { commandIn, isAbout, pushedFiles } from '../../../src/triggers/github/match.ts'
import { readGitHub, subjectOf } from '../../../src/triggers/github/read.ts'
import { createGitHubSource } from '../../../src/triggers/github/source.ts'
import { problemsOf, readGood, routineText } from '../../routines/reading/reading.ts'
import { eventOf, exampleOf } from '../../support/github/events.ts'

const rules = { allow: { users: [], bots: [], forks: false }, if: null }
const comment = (body: string, event = 'issue_comment', action = 'created') =>
  eventOf(event, { ...exampleOf('issue_comment'), action, comment: { body }, review: { body } })

describe('a command', () => {
  test.each<[string, { word: string; text: string } | undefined]>([
    ['@overnight fix', { word: 'fix', text: '' }],
    ['@overnight fix the  tests ', { word: 'fix', text: 'the  tests' }],
    ['  @Overnight FIX it\r\nplease\n@overnight review', undefined],
    ['  @overnight FIX it\r\nplease\n@overnight review', { word: 'fix', text: 'it' }],
    ['@overnight\nfix', undefined],
    ['please @overnight fix', undefined],
    ['@overnighter fix', undefined],
    ['@overnight fix!', undefined],
    ['> @overnight fix', undefined],
    ['', undefined],
  ])('%j', (body, expected) => expect(commandIn(comment(body))).toEqual(expected))

  test('is heard once, where it is written: not when it is edited or deleted', () => {
    for (const action of ['edited', 'deleted'])
      expect(commandIn(comment('@overnight fix', 'issue_comment', action))).toBeUndefined()
    expect(commandIn(comment('@overnight fix', 'pull_request_review', 'submitted'))).toBeDefined()
    expect(commandIn(comment('@overnight fix', 'pull_request_review_comment'))).toBeDefined()
    expect(commandIn(comment('@overnight fix', 'issues', 'created'))).toBeUndefined()
  })

  test('is one word among others', () => {
    expect(isAbout({ kind: 'command', word: 'fix', ...rules }, comment('@overnight fix'))).toBe(true)
    expect(isAbout({ kind: 'command', word: 'fix', ...rules }, comment('@overnight fixes'))).toBe(false)
  })

  test('brings the rest of its line: as the input text where there is one, and in the event', async () => {
    const source = createGitHubSource({
      github: {
        isSignedIn: true,
        self: () => Promise.resolve(undefined),
        permissionOf: () => Promise.resolve('write'),
        changedFiles: () => Promise.resolve([]),
        isFromFork: () => Promise.resolve(false),
        nameAt: (written) => written,
        nameOf: (written) => Promise.resolve(written),
      },
      runDepth: () => Promise.resolve(undefined),
    })
    const decide = (front: string) => {
      const routine = readGood(routineText(`on: { github: { command: fix } }\n${front}`))
      return source.decide(comment('@overnight fix the tests'), { ...routine, repository: 'codertocat/hello-world' })
    }
    const payload = { command: { word: 'fix', text: 'the tests' } }
    expect(await decide('')).toEqual({ act: 'fire', inputs: {}, payload, subject: 'issue-1' })
    expect(await decide('inputs: { text: {} }')).toMatchObject({ inputs: { text: 'the tests' }, payload })
  })
})

test('a label is a command when it is added, in any case', () => {
  const trigger = { kind: 'label' as const, name: 'Fix Me', ...rules }
  const labeled = (event: string, action: string, name: string) =>
    eventOf(event, { ...exampleOf(event), action, label: { name } })
  expect(isAbout(trigger, labeled('issues', 'labeled', 'fix me'))).toBe(true)
  expect(isAbout(trigger, labeled('pull_request', 'labeled', 'fix me'))).toBe(true)
  expect(isAbout(trigger, labeled('issues', 'unlabeled', 'fix me'))).toBe(false)
  expect(isAbout(trigger, labeled('issues', 'labeled', 'fix'))).toBe(false)
})

test.each<[object, string | null]>([
  [{ pull_request: { number: 7 } }, 'pr-7'],
  [{ issue: { number: 7 } }, 'issue-7'],
  [{ issue: { number: 7, pull_request: { url: 'x' } } }, 'pr-7'],
  [{ check_run: { pull_requests: [{ number: 9 }] } }, 'pr-9'],
  [{ workflow_run: { pull_requests: [] } }, null],
  [{ issue: { number: '7/../..' } }, null],
  [{ issue: { number: -7 } }, null],
  [{ ref: 'refs/heads/main' }, null],
])('the subject of %j is %s', (payload, expected) => expect(subjectOf({ ...payload })).toBe(expected))

test('the files of a push are those of all its commits, whatever else stands there', () => {
  const commits = [{ added: ['a'], modified: ['b', 5], removed: null }, null, { removed: ['c', 'a'] }]
  expect(pushedFiles({ commits })).toEqual(['a', 'b', 'c'])
  expect(pushedFiles({ commits: 'x' })).toEqual([])
})

test('what cannot be read is refused: too deep, not an object', () => {
  const read = (text: string) => readGitHub({ id: 'd', event: 'push', body: Buffer.from(text) })
  expect(read(`{"a":${'['.repeat(200)}${']'.repeat(200)}}`)).toEqual({ refused: 'it is nested more than 100 deep' })
  expect(read(`{"a":"${'['.repeat(200)}\\""}`)).not.toHaveProperty('refused')
  expect(read('[]')).toHaveProperty('refused')
  expect(read('{')).toHaveProperty('refused')
  expect(read('{"action":"a\\u0000b","action":"c\\u0000d"}')).toMatchObject({ action: 'cd' })
})

test.each([
  ['on: { github: { event: Push } }', 'must be the name of a GitHub event'],
  ['on: { github: { command: "fix it" } }', 'must be one word'],
  ['on: { github: { event: push, command: fix } }', 'does not go with the other keys here'],
  ['on: { github: { event: push, allow: { bots: ["no bot!"] } } }', 'must be a login'],
  ['on: { github: { event: push, alow: {} } }', 'did you mean "allow"?'],
  [
    'on: { github: { event: push, if: { ref: { matches: "(" } } } }',
    'x.md:4:52: "on.github.if.ref.matches" is not a regular expression',
  ],
  ['on: { github: { event: push } }\ninputs: { scope: {} }', 'and an event cannot give it'],
])('%s is refused: %s', (front, words) => {
  expect(problemsOf(routineText(front)).join('\n')).toContain(words)
})

test('a command may leave its text to whoever writes it', () => {
  expect(problemsOf(routineText('on: { github: { command: fix } }\ninputs: { text: {} }'))).toEqual([])
})
