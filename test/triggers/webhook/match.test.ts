import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRoutine } from '../../../src/routines/reading/read.ts'
import { checkSchedule } from '../../../src/triggers/schedule/check-schedule.ts'
import { match, subjectOf } from '../../../src/triggers/webhook/match.ts'

const read = (webhook: string, inputs = '') =>
  readRoutine(
    'fix.md',
    `---\nrepository: .\nengine: { name: command, command: [x] }\non: { webhook: ${webhook} }\n${inputs}---\n`,
    { defaultEngine: 'command', checkSchedule },
  )
const routineOf = (webhook: string, inputs = '') => {
  const found = read(webhook, inputs)
  if ('problems' in found) throw new Error(JSON.stringify(found.problems))
  return found.routine
}
const event = (payload: Record<string, unknown>, more: object = {}) => ({
  source: 'sentry',
  event: 'issue',
  payload,
  ...more,
})

describe('what a routine makes of an event', () => {
  test.each([
    ['{ source: sentry }', {}, true],
    ['{ source: linear }', {}, false],
    ['{ source: sentry, events: [issue, error] }', {}, true],
    ['{ source: sentry, events: [Issue] }', {}, false],
    ['{ source: sentry, if: { data.level: { in: [error, fatal] } } }', { data: { level: 'fatal' } }, true],
    ['{ source: sentry, if: { data.level: { in: [error, fatal] } } }', { data: { level: 'info' } }, false],
    ['[{ source: linear }, { source: sentry, events: [issue] }]', {}, true],
  ])('%s', (webhook, payload, fires) => {
    expect(match(event(payload), routineOf(webhook)).act).toBe(fires ? 'fire' : 'pass')
  })

  test('it brings inputs; what it has nothing for is the default', () => {
    const routine = routineOf(
      '{ source: sentry, inputs: { url: "{{ event.data.url }}", n: "{{ event.n }}", who: "by {{ event.who }}", gone: "{{ event.gone }}" } }',
      'inputs: { url: {}, n: { type: number }, who: {}, gone: { default: none } }\n',
    )
    const payload = { data: { url: 'https://x/{{ event.n }}' }, n: 5, who: { a: 1 } }
    expect(match(event(payload), routine)).toEqual({
      act: 'fire',
      inputs: { url: 'https://x/{{ event.n }}', n: '5', who: 'by {"a":1}' },
    })
  })

  test('an input longer than anything meant is refused, not cut', () => {
    const routine = routineOf('{ source: sentry, inputs: { text: "{{ event.text }}" } }', 'inputs: { text: {} }\n')
    expect(match(event({ text: 'x'.repeat(10_000) }), routine).act).toBe('fire')
    expect(match(event({ text: 'x'.repeat(10_001) }), routine)).toEqual({
      act: 'refuse',
      reason: 'the event\'s value for input "text" is over 10000 characters',
    })
  })

  test('values of the language are no values of the event', () => {
    const routine = routineOf(
      '{ source: sentry, inputs: { a: "{{ event.toString }}", b: "{{ event.list.length }}" } }',
      'inputs: { a: { default: none }, b: { default: none } }\n',
    )
    expect(match(event({ list: [1, 2] }), routine)).toEqual({ act: 'fire', inputs: {} })
  })
})

describe('what it is about', () => {
  test.each([
    ['ENG-12', /^eng_12$/],
    ['main', /^main$/],
    ['Checkout is slow', /^checkout-is-slow-x[0-9a-f]{8}$/],
    ['checkout is slow', /^checkout-is-slow-x[0-9a-f]{8}$/],
    ['../../etc', /^etc-x[0-9a-f]{8}$/],
    ['日本', /^subject-x[0-9a-f]{8}$/],
    ['7', /^7$/],
    ['', /^$/],
    ['  ', /^$/],
  ])('%j', (written, subject) => {
    expect(subjectOf(written)).toMatch(subject)
  })

  test('is part of a branch, never the second try of another, and two stay two', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        for (const subject of [subjectOf(one), subjectOf(other)]) {
          expect(subject).toMatch(/^([a-z0-9][a-z0-9_-]{0,80})?$/)
          expect(subject).not.toMatch(/-\d+$/)
        }
        const isSame = one.trim().toLowerCase() === other.trim().toLowerCase()
        expect(subjectOf(one) === subjectOf(other)).toBe(isSame)
      }),
      { numRuns: 300 },
    )
  })

  test('a webhook says it by a template; without a value it is the topic', () => {
    const routine = routineOf('{ source: sentry, subject: "{{ event.data.identifier }}" }')
    expect(match(event({ data: { identifier: 'ENG-12' } }), routine)).toMatchObject({ subject: 'eng_12' })
    expect(match(event({}), routine)).toEqual({ act: 'fire', inputs: {} })
  })
})

describe('what is wrong is said where it was written', () => {
  test.each([
    ['{ source: sentry, event: [x] }', '', [/^4:34: unknown key "event" – did you mean "events"\?$/]],
    [
      '{ source: Sentry.yaml }',
      '',
      [/^4:26: "on.webhook.source" must be the name of a file in webhooks\/, without .yaml$/],
    ],
    ['{ source: sentry, events: [] }', '', [/^4:42: "on.webhook.events" must have an entry$/]],
    ['{ source: sentry, if: { a: { matches: "(" } } }', '', [/is not a regular expression \(RE2\)/]],
    [
      '{ source: sentry, inputs: { scop: "{{ event.a }}" } }',
      'inputs: { scope: { default: all } }\n',
      [/the routine has no input "scop" – did you mean "scope"\?$/],
    ],
    ['{ source: sentry, inputs: { scope: x } }', '', [/no input "scope" – declare it under inputs:$/]],
    [
      '{ source: sentry, inputs: { scope: "{{ evnt.a }}" } }',
      'inputs: { scope: { default: all } }\n',
      [/"{{ evnt.a }}": nothing is called "evnt" – did you mean "event"\?$/],
    ],
    ['{ source: sentry, subject: "{{ event.__proto__ }}" }', '', [/"__proto__" is never followed – remove it$/]],
    [
      '{ source: sentry }',
      'inputs: { scope: {} }\n',
      [/input "scope" has no default, and the webhook sentry does not give it – write a default/],
    ],
  ])('%s', (webhook, inputs, says) => {
    const found = read(webhook, inputs)
    const problems = 'problems' in found ? found.problems : []
    const sentences = problems.map(
      ({ line, column, message, hint }) => `${line}:${column}: ${message}${hint === undefined ? '' : ` – ${hint}`}`,
    )
    expect(sentences).toEqual(says.map((said) => expect.stringMatching(said) as string))
  })
})
