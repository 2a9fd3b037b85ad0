import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createLog } from '../../../src/log.ts'
import { createFolderSource } from '../../../src/routines/library/folder-source.ts'
import { openLibrary } from '../../../src/routines/library/library.ts'
import { readRoutine, type ReadOptions } from '../../../src/routines/reading/read.ts'
import { readBy } from '../../../src/routines/library/reader-edition.ts'
import { openReadings } from '../../../src/routines/library/readings.ts'
import type { Routine } from '../../../src/routines/routine.ts'
import { readOptions, routineText } from '../reading/reading.ts'

const src = resolve(import.meta.dirname, '../../../src')
const places: string[] = []
afterEach(() => {
  for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true })
})

function openPlace(): string {
  const place = mkdtempSync(join(tmpdir(), 'readings-'))
  places.push(place)
  return place
}

function read(path: string, text: string): Routine {
  const found = readRoutine(path, text, readOptions)
  if ('problems' in found) throw new Error(JSON.stringify(found.problems))
  return found.routine
}

/** What an earlier process has kept of a hundred files and these. */
async function keep(texts: Record<string, string>, options: ReadOptions = readOptions) {
  const file = join(openPlace(), 'readings.json')
  const hundred = Array.from({ length: 100 }, (_, index) => read(`/r/x${index}.md`, routineText()))
  const routines = [...hundred, ...Object.entries(texts).map(([path, text]) => read(path, text))]
  const readings = await openReadings({ file, read: options })
  await readings.keep(routines)
  return { file, routines, again: (others = options) => openReadings({ file, read: others }) }
}

const everyKey = readFileSync(join(import.meta.dirname, '../every-key.md'), 'utf8')
const nasty = routineText(
  'inputs: { sum: { type: number, default: -0.5e-7 }, line: { type: string, default: "\\u2028" } }\non: { github: { event: push, if: { all: [{ a.b: { starts_with: "\\\\d+$" } }, { not: { c: { in: [1, x, true] } } }] } } }',
  'Text with \u{1f319}, "quotes"\r\nand \\ lines. '.repeat(3),
)

test('what was kept is what reading says, to the last key', async () => {
  const texts = { '/r/every.md': everyKey, '/r/nasty.md': nasty, '/r/plain.md': routineText() }
  const { again } = await keep(texts)
  const readings = await again()
  for (const [path, text] of Object.entries(texts)) expect(readings.of(path, text)).toStrictEqual(read(path, text))
})

test('what cannot be written down, such as a pattern, is read again', async () => {
  const text = routineText('on: { github: { event: push, if: { a.b: { matches: "^x+$" } } } }')
  const { again, file, routines } = await keep({ '/r/a.md': text })
  const readings = await again()
  expect(readings.of('/r/a.md', text)).toBeUndefined()
  expect(readings.of('/r/x1.md', routineText())).toBeDefined()
  // Nor is it a reason to write again: a hundred of them would be one each time.
  rmSync(file)
  await readings.keep([...routines, ...routines.slice(-1).flatMap((one) => Array(100).fill(one))])
  expect(existsSync(file)).toBe(false)
})

test('another text, another file, and what is not there any more are not known', async () => {
  const { again, routines } = await keep({ '/r/a.md': routineText() })
  const readings = await again()
  expect(readings.of('/r/a.md', routineText('base: other'))).toBeUndefined()
  expect(readings.of('/r/b.md', routineText())).toBeUndefined()
  expect(readings.of('/r/a.md', routineText())).toBeDefined()
  await readings.keep(routines.slice(0, 2))
  expect(readings.of('/r/x1.md', routineText())).toBe(routines[1])
  expect(readings.of('/r/a.md', routineText())).toBeUndefined()
})

test('a commit is not part of what a text says', async () => {
  const { file } = await keep({})
  const readings = await openReadings({ file, read: readOptions })
  await readings.keep(
    Array.from({ length: 100 }, (_, index) => ({ ...read(`/r/c${index}.md`, routineText()), commit: 'c0ffee' })),
  )
  const next = await openReadings({ file, read: readOptions })
  expect(next.of('/r/c7.md', routineText())).toStrictEqual(read('/r/c7.md', routineText()))
})

test.each([
  ['an engine', { defaultEngine: 'command' }],
  ['a zone', { timezone: 'Asia/Tokyo' }],
  ['a rule for repositories', { repository: 'optional' as const }],
])('with %s of other routines nothing is known', async (_, more) => {
  const { again } = await keep({ '/r/a.md': routineText() })
  expect((await again({ ...readOptions, ...more })).of('/r/a.md', routineText())).toBeUndefined()
})

test.each([
  ['empty', () => ''],
  ['cut off', (text: string) => text.slice(0, -40)],
  ['without its first line', (text: string) => text.slice(text.indexOf('\n') + 1)],
  ['with one letter changed', (text: string) => text.replace('Tidy up.', 'Tidy it.')],
  ['of another edition', (text: string) => text.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))],
  ['not text', () => '\0\xff\n{}'],
])('a file that is %s is as good as none, and is written anew', async (_, damage) => {
  const { file, routines, again } = await keep({})
  const whole = readFileSync(file, 'utf8')
  writeFileSync(file, damage(whole))
  const readings = await again()
  expect(readings.of('/r/x1.md', routineText())).toBeUndefined()
  await readings.keep(routines)
  expect(readFileSync(file, 'utf8')).toBe(whole)
})

test('a few routines are not worth a file, and a folder that cannot be written to stops nobody', async () => {
  const place = openPlace()
  const few = await openReadings({ file: join(place, 'few.json'), read: readOptions })
  await few.keep([read('/r/a.md', routineText())])
  expect(few.of('/r/a.md', routineText())).toBeDefined()
  const { routines } = await keep({})
  const nowhere = await openReadings({ file: join(place, 'gone', 'readings.json'), read: readOptions })
  await nowhere.keep(routines)
  expect(nowhere.of('/r/x1.md', routineText())).toBe(routines[1])
  expect(readdirSync(place)).toEqual([])
})

test('a library that knows its texts puts in force what one does that reads them, broken files included', async () => {
  const dir = openPlace()
  for (let index = 0; index < 120; index++) writeFileSync(join(dir, `r${index}.md`), routineText(`base: b${index}`))
  writeFileSync(join(dir, 'broken.md'), routineText('nope: 1'))
  const file = join(openPlace(), 'readings.json')
  const open = async () =>
    openLibrary({
      source: createFolderSource({ dir }),
      read: readOptions,
      readings: await openReadings({ file, read: readOptions }),
      log: createLog('silent'),
      watch: false,
    })
  const first = await open()
  await first[Symbol.asyncDispose]()
  await using again = await open()
  expect(again.snapshot()).toStrictEqual(first.snapshot())
  expect(again.snapshot().broken.size).toBe(1)
  // Size and times say nothing: the text does.
  writeFileSync(join(dir, 'r7.md'), routineText('base: c7'))
  writeFileSync(join(dir, 'r8.md'), routineText('nope: 8'))
  await again.rescan()
  const baseOf = (name: string) => again.snapshot().routines.find((routine) => routine.name === name)?.base
  expect([baseOf('r7'), baseOf('r8')]).toEqual(['c7', 'b8'])
  expect([...again.snapshot().broken.keys()].sort()).toEqual(['broken', 'r8'])
})

test('the edition covers every file that reading runs through', () => {
  const seen = new Set<string>()
  const visit = (path: string) => {
    if (seen.has(path)) return
    seen.add(path)
    const text = readFileSync(path, 'utf8')
    for (const [, target] of text.matchAll(/^(?:import|export) (?!type )[^'"]*?from '(\.[^']+)'/gms))
      visit(resolve(dirname(path), target!))
  }
  visit(join(src, 'routines/reading/read.ts'))
  visit(join(src, 'triggers/schedule/check-schedule.ts'))
  expect(seen.size).toBeGreaterThan(20)
  const isCovered = (path: string) =>
    readBy.some((place) => relative(src, path) === place || relative(src, path).startsWith(`${place}/`))
  expect([...seen].filter((path) => !isCovered(path))).toEqual([])
})
