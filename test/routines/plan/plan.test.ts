import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTexts } from '../../../src/routines/library/library.ts'
import { comparePlan } from '../../../src/routines/plan/compare.ts'
import { planMarkdown, planText } from '../../../src/routines/plan/write-plan.ts'
import { readOptions, routineText } from '../reading/reading.ts'

const file = (name: string, text: string) => ({ entry: `${name}.md`, text })
const read = (...files: { entry: string; text: string }[]) => readTexts(files, readOptions)
function plan(before: readonly { entry: string; text: string }[], after: typeof before, same: readonly string[] = []) {
  return comparePlan({
    inForce: read(...before).routines,
    same,
    files: read(...after),
    nextOf: ({ schedules }) => schedules.map(({ cron }) => `next of ${cron}`),
  })
}
const daily = 'on: { schedule: { cron: "0 2 * * *", timezone: UTC } }\n'

describe('a plan', () => {
  test('tells what would be added, changed, removed and broken, and what that means', () => {
    const found = plan(
      [
        file('keep', routineText()),
        file('old', routineText()),
        file('sort', routineText('limits: { minutes: 30 }', 'Sort the imports.')),
      ],
      [
        file('bad', 'no repository'),
        file('keep', routineText()),
        file('new', routineText(daily)),
        file('sort', routineText(`limits: { minutes: 60 }\n${daily}`, 'Sort all imports.')),
      ],
    )
    expect(found.counts).toEqual({ added: 1, changed: 1, removed: 1, broken: 1, unchanged: 1 })
    expect(found.routines.map(({ name, change }) => [name, change])).toEqual([
      ['bad', 'broken'],
      ['new', 'added'],
      ['old', 'removed'],
      ['sort', 'changed'],
    ])
    expect(found.routines[3]).toMatchObject({
      facts: [
        { what: 'due', before: 'when a person fires it', after: '0 2 * * * UTC' },
        { what: 'budget', before: '30 min', after: '60 min' },
        { what: 'missed', before: 'none', after: 'the last is made up for, at most 6h old' },
      ],
      next: ['next of 0 2 * * *'],
    })
    expect(found.routines[3]!.words).toContain('Sort [-the-]{+all+} imports.')
    const text = planText(found)
    expect(text).toContain('+ new (added)\n    due      0 2 * * * UTC\n')
    expect(text).toContain('    writes   branches overnight/new/… and draft pull requests in ./shop\n')
    expect(text).toContain('~ sort (changed)\n    due      when a person fires it → 0 2 * * * UTC\n')
    expect(text).toContain('! bad (broken: it would not be in force)\n    bad.md:1:')
    expect(text.endsWith('1 added, 1 changed, 1 removed, 1 broken, 1 unchanged\n')).toBe(true)
  })

  test('says whether a version of a broken file stays in force', () => {
    const found = plan([file('old', routineText())], [file('new', 'nothing'), file('old', 'nothing')])
    expect(found.routines).toMatchObject([
      { name: 'new', change: 'broken', stays: false },
      { name: 'old', change: 'broken', stays: true },
    ])
    expect(planText(found)).toContain('! old (broken: its last good version stays)')
  })

  test('names a file that cannot be a routine by its name', () => {
    const found = plan([], [file('@everyone', routineText())])
    expect(found.routines).toMatchObject([{ name: '@everyone.md', change: 'broken', problems: { length: 1 } }])
  })

  test('is as long as it may be, and says what it leaves out', () => {
    const long = Array.from({ length: 40 }, (_, index) =>
      file(`r${index}`, routineText('', 'Do. '.repeat(index * 100))),
    )
    const markdown = planMarkdown(plan([], [...long, file('bad', 'x'.repeat(60_000))]), 5000)
    expect(markdown.length).toBeLessThan(5500)
    expect(markdown).toMatch(/And \d+ more\.\n$/)
    expect(markdown.match(/^```/gm)!.length % 2).toBe(0)
  })

  test('knows routines that were not sent because they are the same', () => {
    expect(plan([file('old', routineText())], [], ['keep']).counts).toEqual({
      added: 0,
      changed: 0,
      removed: 1,
      broken: 0,
      unchanged: 1,
    })
  })

  test('as Markdown renders nothing of what people wrote', () => {
    const prompt = 'Hello @ada, fixes #1 <img src=x>\n````\n![](https://evil.test/x.png)\n\u001B[2J\u202E'
    const text = planMarkdown(plan([file('a', routineText())], [file('a', routineText('', prompt))]))
    const fence = /^(`+)text\n([^]*)\n\1\n$/m.exec(text)!
    expect(fence[1]!.length).toBeGreaterThan(4)
    expect(text.slice(0, fence.index)).not.toContain('@ada')
    expect(fence[2]).toContain('@ada')
    expect(text).not.toMatch(/[\u001B\u202E]/)
    expect(planMarkdown(plan([], [], ['a']))).toContain('nothing would change')
  })

  test('whatever changes: every routine is counted once, and applying what is there is no change', () => {
    const aFolder = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('One', 'Two'))
    const filesOf = (folder: Record<string, string>) =>
      Object.entries(folder).map(([name, prompt]) => file(name, routineText('', prompt)))
    fc.assert(
      fc.property(aFolder, aFolder, (before, after) => {
        const { counts } = plan(filesOf(before), filesOf(after))
        const names = new Set([...Object.keys(before), ...Object.keys(after)])
        expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(names.size)
        expect(plan(filesOf(after), filesOf(after)).routines).toEqual([])
      }),
    )
  })
})
