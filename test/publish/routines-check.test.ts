import { describe, expect, test } from 'vitest'
import { checkOf } from '../../src/publish/routines-check.ts'
import { readTexts } from '../../src/routines/library/library.ts'
import { readOptions, routineText } from '../routines/reading/reading.ts'

const place = { name: 'acme/shop:night/routines@main', folder: 'night/routines' }
const commit = 'c0ffee'
const folder = (files: Record<string, string>) => {
  const read = readTexts(
    Object.entries(files).map(([entry, text]) => ({ entry, text })),
    readOptions,
  )
  const problems = read.problems.map((problem) => ({ ...problem, file: `${place.name}/${problem.file}` }))
  return { ...read, problems }
}

describe('the check of a commit', () => {
  test('counts what is in force', () => {
    expect(checkOf({ commit, files: folder({ 'a.md': routineText(), 'b.md': routineText() }) }, place)).toEqual({
      name: 'overnight/routines',
      commit,
      conclusion: 'success',
      title: '2 routines in force',
      summary: 'Everything in `night/routines` can be read and is in force.',
      annotations: [],
    })
  })

  test('notes fifty problems at their lines, and says the rest and what is not in force', () => {
    const broken = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`r${index}.md`, routineText('nope: 1', 'Do.')]),
    )
    const check = checkOf({ commit, files: folder({ ...broken, 'a.md': routineText() }) }, place)
    expect(check.title).toBe('60 files broken; 1 routine in force')
    expect(check.annotations).toHaveLength(50)
    expect(check.annotations[0]).toMatchObject({
      path: 'night/routines/r0.md',
      message: expect.stringContaining('nope'),
    })
    expect(check.annotations[0]!.line).toBeGreaterThan(1)
    expect(check.summary).toContain('Not in force: r0, r1')
    expect(check.summary).toContain('night/routines/r59.md:')
    expect(check.summary).not.toContain('night/routines/r49.md:')
  })

  test('what people wrote is inert, and thousands of problems fit', () => {
    const problem = {
      file: `${place.name}/a.md`,
      line: 1,
      column: 1,
      message: 'unknown key "@ada <img src=x> fixes #1 ````` ![x](y)\u202E"',
    }
    const files = { ...folder({}), problems: Array.from({ length: 5000 }, () => problem) }
    const check = checkOf({ commit, files }, place)
    for (const text of [check.summary, ...check.annotations.map(({ message }) => message)])
      expect(text).not.toMatch(/@ada|<img|#1|!\[|\u202E/)
    expect(check.summary).toContain('\n``````text\n')
    expect(check.summary).toContain('and 4850 more')
    expect(check.summary.length).toBeLessThan(65_535)
  })

  test('a folder that is gone is said without a file', () => {
    const problems = [{ file: place.name, line: 1, column: 1, message: 'the branch has no folder "night/routines"' }]
    const check = checkOf({ commit, files: { ...folder({ 'a.md': routineText() }), problems } }, place)
    expect(check).toMatchObject({ conclusion: 'failure', title: 'The routines cannot be read', annotations: [] })
    expect(check.summary).toContain('the branch has no folder')
  })
})
