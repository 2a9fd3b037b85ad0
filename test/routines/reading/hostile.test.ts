import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cpuMs, problemsOf, readOptions } from './reading.ts'
import { readRoutine } from '../../../src/routines/reading/read.ts'

const maxMs = 1000
const inFences = (yaml: string) => `---\n${yaml}\n---\nx`
const fill = (piece: string, bytes = 32_000) => piece.repeat(Math.floor(bytes / piece.length))

/** Ten levels of nine aliases each: 3.5 thousand million values from 400 bytes. */
const aliasBomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x]',
  ...Array.from(
    { length: 9 },
    (_, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(', ')}]`,
  ),
].join('\n')

function timed(text: string): { problems: string[]; ms: number } {
  const start = cpuMs()
  const problems = problemsOf(text)
  return { problems, ms: cpuMs() - start }
}

describe('a text that is made to hurt is refused at once', () => {
  test.each([
    ['an alias bomb', aliasBomb, /too large once its aliases are filled in/],
    ['an alias of itself', 'a: &a { b: *a }', /too large once its aliases are filled in/],
    ['a chain of anchors', fill('- &a x\n- *a\n'), /too large|must be a map/],
    ['explicit keys in explicit keys', fill('? '), /nested too deeply|plain text/],
    ['explicit keys, closed', `${fill('? ', 400)}a`, /nested too deeply|plain text/],
    ['lists in lists', fill('['), /nested too deeply/],
    ['lists in lists, closed', '['.repeat(500) + ']'.repeat(500), /too large/],
    ['maps in maps', fill('{a: '), /nested too deeply/],
    ['block lists in block lists', fill('- '), /nested too deeply|must be a map|too large/],
    ['thousands of keys', Array.from({ length: 3000 }, (_, n) => `k${n}: 1`).join('\n'), /unknown key/],
    [
      'thousands of keys in a line',
      `{${Array.from({ length: 3000 }, (_, n) => `k${n}: 1`).join(', ')}}`,
      /unknown key/,
    ],
    ['closing braces', fill('}'), /./],
    ['quotes', fill('"'), /./],
    ['colons', fill(': '), /./],
    ['aliases', fill('*a '), /./],
    ['tags', fill('!!'), /./],
    ['anchors', fill('&a '), /./],
    ['comments', fill('#\n'), /repository is missing/],
    ['line ends', fill('\n'), /repository is missing/],
    ['a scalar that never ends', `a: "${fill('x\n')}`, /./],
    ['a long key', `${fill('k')}: 1`, /at most 1024 chars/],
    ['a long plain scalar', `topic: ${fill('x')}`, /"topic" must be/],
    ['a long branch', `base: ${fill('a/')}`, /"base" must be/],
    ['a long cron', `on: { schedule: { cron: "${fill('1,')}1 * * * *" } }`, /./],
    ['a long zone', `on: { schedule: { cron: "0 1 * * *", timezone: "${fill('Europe/')}" } }`, /timezone/],
    ['a long name of an engine', `engine: ${fill('claud')}`, /cannot be/],
  ])('%s', (_what, yaml, expected) => {
    const { problems, ms } = timed(inFences(yaml))
    expect(problems.join('\n')).toMatch(expected)
    expect(ms).toBeLessThan(maxMs)
  })

  test.each([
    ['256 KB of YAML', inFences('a: 1\n'.repeat(50_000))],
    ['256 KB of open marks', `---\nrepository: ./x\n---\n${'{{ '.repeat(87_000)}`],
    ['256 KB of marks', `---\nrepository: ./x\n---\n${'{{a}}'.repeat(52_000)}`],
    ['256 KB of backslashes', `---\nrepository: ./x\n---\n${'\\'.repeat(260_000)}`],
    ['256 KB of blanks', ' '.repeat(260_000)],
    ['256 KB of blank lines', '\n'.repeat(260_000)],
    ['256 KB of fences', '---\n'.repeat(65_000)],
    ['256 KB of dashes', '-'.repeat(260_000)],
  ])('%s', (_what, text) => {
    const { ms } = timed(text)
    expect(ms).toBeLessThan(maxMs)
  })

  test('never more than 20 problems are told', () => {
    expect(timed(inFences(Array.from({ length: 200 }, (_, n) => `k${n}: 1`).join('\n'))).problems).toHaveLength(20)
    expect(timed(`---\nrepository: ./x\n---\n${'{{a}} '.repeat(200)}`).problems).toHaveLength(20)
  })

  test('no text reaches the prototype of everything', () => {
    for (const key of ['__proto__', '"__proto__"', 'constructor', 'prototype']) {
      problemsOf(inFences(`${key}: { polluted: 1 }`))
      problemsOf(inFences(`inputs: { ${key}: { polluted: 1 } }`))
      problemsOf(inFences(`inputs: { a: { default: &d { ${key}: 1 } } }`))
    }
    expect('polluted' in {}).toBe(false)
  })
})

const scraps = fc.constantFrom(
  ...'---\n|\n|\r\n|: |- |? |  |\t|{|}|[|]|, |&a|*a|!!str |!x |>-\n|"|#|...|on:|schedule:|cron:|repository:|engine:'.split(
    '|',
  ),
  ..."inputs:|limits:|{{|}}|\\{{|inputs.a|__proto__|0x1f|.nan|~|ä|\u{1f600}|\uFEFF|'".split('|'),
  '|\n',
)
const fragments = fc.array(fc.tuple(scraps, fc.integer({ min: 1, max: 40 })), { maxLength: 60 })
const yamlish = fragments.map((parts) => parts.map(([piece, times]) => piece.repeat(times)).join(''))

describe('whatever the text', () => {
  test.each([
    ['any characters', 120, fc.string({ unit: 'binary', maxLength: 5000 })],
    ['pieces of YAML', 120, yamlish],
    ['pieces of YAML as front matter', 120, yamlish.map(inFences)],
    // One costs several times what one of the others does.
    [
      'values of JSON under known keys',
      40,
      fc
        .record({
          key: fc.constantFrom('on', 'engine', 'inputs', 'limits', 'output', 'repository', 'network', 'connectors'),
          value: fc.jsonValue(),
        })
        .map(({ key, value }) => inFences(`${key}: ${JSON.stringify(value)}`)),
    ],
  ])('reading never throws, is quick, and every problem has its place: %s', (_what, numRuns, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        const start = cpuMs()
        const read = readRoutine('x.md', text, readOptions)
        expect(cpuMs() - start).toBeLessThan(maxMs)
        const lines = text.split('\n')
        for (const problem of 'problems' in read ? read.problems : read.routine.unavailable) {
          expect(problem.line).toBeGreaterThanOrEqual(1)
          expect(problem.line).toBeLessThanOrEqual(lines.length)
          expect(problem.column).toBeGreaterThanOrEqual(1)
          expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1]?.length ?? 0) + 1)
        }
        expect('routine' in read || read.problems.length > 0).toBe(true)
      }),
      { numRuns },
    )
  })
})
