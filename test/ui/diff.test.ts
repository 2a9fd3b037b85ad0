import { array, assert, constantFrom, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { readDiff } from '../../src/ui/diff.ts'
import { compare, markWords } from '../../src/ui/marks.ts'
import { createRepository, git, openFolder, writeFiles } from '../support/git-repository.ts'
import { diff } from '../support/sample-run-page.ts'

test('files, hunks and line numbers as git counts them', () => {
  const files = readDiff(diff)
  expect(files.map(({ path, binary }) => [path, binary])).toEqual([
    ['.github/workflows/release.yml', false],
    ['.nvmrc', false],
    ['docs/images/release flow.png', true],
    ['src/retry.ts', false],
  ])
  const lines = files[0]!.hunks[0]!.lines.map(({ kind, number }) => `${kind} ${number}`)
  expect(lines).toEqual([
    'same 11',
    'same 12',
    'same 13',
    'removed 14',
    'added 14',
    'same 15',
    'added 16',
    'same 17',
    'removed 17',
    'added 18',
  ])
})

test('lines that look like headers are lines; a missing last newline is a note', () => {
  const text =
    'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ f()\n--- a/y\n-diff --git a/z b/z\n+++ b/y\n+@@ -1 +1 @@\n\\ No newline at end of file\n'
  const files = readDiff(text)
  expect(files).toHaveLength(1)
  expect(files[0]!.hunks[0]).toEqual({
    context: 'f()',
    lines: [
      { kind: 'removed', number: 1, text: '-- a/y' },
      { kind: 'removed', number: 2, text: 'diff --git a/z b/z' },
      { kind: 'added', number: 1, text: '++ b/y' },
      { kind: 'added', number: 2, text: '@@ -1 +1 @@' },
      { kind: 'note', number: null, text: 'No newline at end of file' },
    ],
  })
})

test('odd paths are read as git wrote them', () => {
  using folder = openFolder()
  createRepository(folder.path, { 'plain.txt': 'a\n' })
  const odd = [
    'with space.txt',
    'Ünïcödé.txt',
    'quote"d.txt',
    'tab\there.txt',
    'a b/ b.txt',
    'back\\slash.txt',
    'line\nbreak.txt',
  ]
  writeFiles(folder.path, Object.fromEntries(odd.map((name) => [name, 'new\n'])))
  git(folder.path, 'add', '--all')
  const paths = readDiff(git(folder.path, 'diff', '--cached')).map(({ path }) => path)
  expect(paths.toSorted()).toEqual(odd.toSorted())
  writeFiles(folder.path, Object.fromEntries(odd.map((name) => [name, '\0'])))
  git(folder.path, 'add', '--all')
  const binaries = readDiff(git(folder.path, 'diff', '--cached')).map(({ path }) => path)
  expect(binaries.toSorted()).toEqual(odd.toSorted())
})

test('a diff that was cut anywhere, and any other text, is read without a surprise', () => {
  for (let length = 0; length <= diff.length; length += 7) expect(() => readDiff(diff.slice(0, length))).not.toThrow()
  assert(property(string(), (text) => Array.isArray(readDiff(text))))
})

const words = array(constantFrom('const', ' ', 'a', 'b', '(', ')', '=', 'żółw', '漢'), { maxLength: 30 }).map((all) =>
  all.join(''),
)

test('marks never change a line, and what is not marked is the same on both sides', () => {
  assert(
    property(words, words, (before, after) => {
      const pair = compare(before, after)
      if (!pair) return
      expect(pair.map((stretches) => stretches.map(({ text }) => text).join(''))).toEqual([before, after])
      const [old, fresh] = pair.map((stretches) =>
        stretches
          .filter(({ marked }) => !marked)
          .map(({ text }) => text)
          .join(''),
      )
      expect(old).toBe(fresh)
    }),
  )
})

test('the changed words of a changed line are marked; unlike lines are not', () => {
  const shown = markWords(readDiff(diff)[0]!.hunks[0]!.lines)
  const marked = shown.map(({ stretches }) => stretches.filter((one) => one.marked).map(({ text }) => text))
  expect(marked.slice(3, 5)).toEqual([['20'], ['24']])
  expect(compare('one two three', 'entirely different words')).toBeUndefined()
})
