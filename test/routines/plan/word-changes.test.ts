import fc from 'fast-check'
import { expect, test } from 'vitest'
import { wordChanges, writeChanges } from '../../../src/routines/plan/word-changes.ts'
import { cpuMs } from '../reading/reading.ts'

const written = (older: string, newer: string) => writeChanges(wordChanges(older, newer))

test('says word by word what became of a text', () => {
  expect(written('Sort the imports.', 'Sort all imports.')).toBe('Sort [-the-]{+all+} imports.')
  expect(written('minutes: 30', 'minutes: 60')).toBe('minutes: [-30-]{+60+}')
  expect(written('a', 'a')).toBe('')
  expect(written('', 'new\nlines')).toBe('{+new+}\n{+lines+}')
})

test('shows lines with a change and their neighbours alone', () => {
  const text = (middle: string) => ['one', 'two', 'three', middle, 'five', 'six', 'seven'].join('\n')
  expect(written(text('four'), text('4'))).toBe('three\n[-four-]{+4+}\nfive\n…')
})

const aText = fc.array(fc.constantFrom('a', 'b', 'word', ' ', '\n', '.', 'Ä', '🌙')).map((parts) => parts.join(''))

test('whatever the texts: what is left makes the one, and with what was added the other', () => {
  fc.assert(
    fc.property(aText, aText, (older, newer) => {
      const changes = wordChanges(older, newer)
      const join = (kinds: readonly string[]) =>
        changes
          .filter(({ kind }) => kinds.includes(kind))
          .map(({ text }) => text)
          .join('')
      expect(join(['same', 'removed'])).toBe(older)
      expect(join(['same', 'added'])).toBe(newer)
      expect(wordChanges(older, older).every(({ kind }) => kind === 'same')).toBe(true)
    }),
  )
})

test('the largest files take no time worth speaking of', () => {
  const start = cpuMs()
  wordChanges('one two '.repeat(32_000), 'two three '.repeat(25_000))
  expect(cpuMs() - start).toBeLessThan(1000)
})
