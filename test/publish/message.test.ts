import { array, assert, constantFrom, oneof, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Change } from '../../src/checkout/patch.ts'
import { commitMessage, pullBody, pullTitle, type RunFacts } from '../../src/publish/message.ts'
import { neutralise, neutraliseLine } from '../../src/publish/neutralise.ts'
import { runOfMarker } from '../../src/publish/subject.ts'
import { actsIn } from '../support/markdown-acts.ts'

const change = (path: string, rest: Partial<Change> = {}): Change => {
  const plain = {
    status: 'modified',
    oldMode: '100644',
    newMode: '100644',
    bytes: 1,
    added: 2,
    removed: 1,
    binary: false,
  } as const
  return { path, ...plain, ...rest }
}
const factsOf = (rest: Partial<RunFacts> = {}): RunFacts => ({
  id: 'run-1',
  routine: 'tidy',
  subject: 'main-2',
  trigger: 'schedule',
  title: 'Tidy the shop',
  description: 'It was untidy.',
  changes: [change('a.txt'), change('b.bin', { binary: true }), change('c', { status: 'deleted' })],
  ...rest,
})

describe('text of others is made harmless', () => {
  test.each([
    ['@ada please look', '@ada'],
    ['cc @acme/team, (@bob)', '@acme'],
    ['fixes #1', '#1'],
    ['Closes acme/shop#12.', '#12'],
    ['resolves GH-7', 'GH-7'],
    ['fixes https://github.com/acme/shop/issues/3', '/issues/3'],
    ['![x](https://evil.example/track.png)', '!['],
    ['![x][ref]\n\n[ref]: https://evil.example/a.png', '!['],
    ['<img src=https://evil.example/a.png>', '<img'],
    ['</details><script>alert(1)</script>', '<script'],
    ['<!-- overnight: tidy/main run-9 -->', '<!--'],
    ['&#64;ada &commat;ada', '&#64;'],
    ['&lt;img&gt;', '&lt;'],
    ['/approve\n  /lgtm', '/approve'],
    ['@dependabot merge', '@dependabot'],
    ['`@ada` ``` @bob', '@bob'],
    ['a\\@ada', '@ada'],
    ['<https://github.com/a/b/pull/9>', '/pull/9'],
    ['#\u200B1 @\u2060ada', '@ada'],
    ['fixes \u{E0023}#\u{E0031}1', '#1'],
    ['evil \u202Egnp.exe', '\u202E'],
  ])('%j', (text, gone) => {
    const told = neutralise(text).text
    expect(told).not.toContain(gone)
    expect(actsIn(told)).toEqual([])
  })

  test('whatever it is', () => {
    const piece = constantFrom(
      '@',
      '#',
      '1',
      'a',
      '<',
      '!',
      '[',
      '&',
      '/',
      '\n',
      ' ',
      '\u200B',
      '\u202E',
      'GH-',
      'img',
      ';',
      '\\',
      '`',
      '\r',
    )
    const hostile = array(oneof(piece, string({ unit: 'grapheme', maxLength: 3 })), { maxLength: 30 }).map((parts) =>
      parts.join(''),
    )
    assert(
      property(hostile, (text) => {
        expect(actsIn(neutralise(text).text)).toEqual([])
      }),
      { numRuns: 5000 },
    )
  })

  test('and reads the same', () => {
    const plain =
      'Bumped `left-pad` to 1.2 — see a@b and <x>, 3 < 4 & 5!\n\n- one\n- [a link](https://example.com/#top)\n\n```\ncode\n```'
    const { text, hidden } = neutralise(plain)
    expect(text.replaceAll('\u200B', '')).toBe(plain)
    expect(hidden).toBe(0)
    expect(neutralise('a\u200Bb\u{E0041}').hidden).toBe(2)
  })

  test('a title is one line of bounded length', () => {
    expect(neutraliseLine(' a\n b\t\tc ', 100)).toBe('a b c')
    expect(neutraliseLine('ü'.repeat(200), 20)).toBe(`${'ü'.repeat(19)}…`)
    expect(pullTitle(factsOf({ title: '\u202E\n' }))).toBe('tidy')
  })
})

describe('what is told of a run', () => {
  test('the body', () => {
    expect(pullBody(factsOf())).toBe(
      [
        'It was untidy.',
        '- `a.txt` (+2 −1)\n- `b.bin` (binary)\n- `c` (deleted)',
        '---',
        '*Made by the routine `tidy` (schedule), run `run-1`. A program wrote this change: read it before you merge it.*',
        '<!-- overnight: tidy/main-2 run-1 -->',
      ].join('\n\n'),
    )
  })

  test('a marker in the text is not the marker', () => {
    const description = 'x\n\n<!-- overnight: tidy/main run-9 -->'
    expect(runOfMarker(pullBody(factsOf({ description })))).toBe('run-1')
    expect(pullBody(factsOf({ description })).match(/<!-- /g)).toHaveLength(1)
  })

  test('hidden characters are counted for the reader', () => {
    expect(pullBody(factsOf({ description: 'ok\u{E0041}\u{E0042}' }))).toContain('2 hidden characters were removed')
  })

  test('names of files are code, whatever they hold', () => {
    const body = pullBody(factsOf({ changes: [change('a`b``c @ada #1\n<img>.txt')] }))
    expect(body).toContain('- ``` a`b``c @ada #1\u{FFFD}<img>.txt ``` (+2 −1)')
  })

  test('fits GitHub, with many files and much text', () => {
    const changes = Array.from({ length: 5000 }, (_, index) => change(`${'x'.repeat(300)}${index}`))
    const body = pullBody(factsOf({ description: 'y@'.repeat(50_000), changes }))
    expect(body.length).toBeLessThan(60_000)
    expect(body).toContain('- and 4970 more')
    expect(runOfMarker(body)).toBe('run-1')
  })

  test('the commit names the run in a trailer that text cannot replace', () => {
    const message = commitMessage(factsOf({ description: 'x\n\nOvernight-Run: run-9' }))
    expect(message).toBe('Tidy the shop\n\nx\n\nOvernight-Run: run-9\n\nOvernight-Run: run-1\n')
    expect(commitMessage(factsOf({ description: '' }))).toBe('Tidy the shop\n\nOvernight-Run: run-1\n')
  })
})
