import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Standing } from '../../src/ledger/routines.ts'
import { formatProblem } from '../../src/routines/format.ts'
import type { Problem } from '../../src/routines/routine.ts'
import { decideApplying, type Applying, type FolderState } from '../../src/triggers/apply-routines.ts'
import { readGood, routineText } from '../routines/reading/reading.ts'

const names = ['a', 'b', 'c', 'd']
const texts = ['One', 'Two'].map((prompt) => readGood(routineText('', prompt)))

type File = { text: number; broken: boolean; commit: string | null } | undefined
const aFolder = fc.array(
  fc.option(fc.record({ text: fc.nat(1), broken: fc.boolean(), commit: fc.constantFrom(null, 'c0ffee') }), {
    nil: undefined,
  }),
  { minLength: names.length, maxLength: names.length },
)

/** A broken file keeps what was good before: here, always the first text. */
function folderOf(files: readonly File[]): FolderState {
  const present = names.flatMap((name, index) => (files[index] ? [{ name, ...files[index] }] : []))
  const problem = (name: string): Problem => ({ file: `${name}.md`, line: 1, column: 1, message: 'nope' })
  return {
    routines: present.map(({ name, text, broken, commit }) => ({
      ...texts[broken ? 0 : text]!,
      name,
      file: `/routines/${name}.md`,
      commit,
    })),
    broken: new Map(present.filter(({ broken }) => broken).map(({ name }) => [name, [problem(name)]])),
  }
}

/** What the statements do, on rows in memory. */
function applied(before: readonly Standing[], { versions, changed, broken, removed }: Applying): Standing[] {
  const rows = new Map(before.map((row) => [row.name, row]))
  for (const { name, hash, file } of changed) {
    const commit = rows.get(name)?.hash === hash ? rows.get(name)!.commit : null
    rows.set(name, { name, hash, file, commit, error: null, rolledBackFrom: null })
  }
  for (const { name, hash, commit } of versions) {
    const row = rows.get(name)
    if (row?.hash === hash) rows.set(name, { ...row, commit: commit ?? row.commit })
  }
  for (const { name, error } of broken) if (rows.has(name)) rows.set(name, { ...rows.get(name)!, error })
  for (const name of removed) rows.delete(name)
  return [...rows.values()]
}

test('whatever was in force: applying a folder makes it so, and applying it again is nothing', () => {
  fc.assert(
    fc.property(aFolder, aFolder, (earlier, later) => {
      const before = applied([], decideApplying([], folderOf(earlier)))
      const folder = folderOf(later)
      const after = applied(before, decideApplying(before, folder))
      expect(after.map(({ name, hash }) => [name, hash]).sort()).toEqual(
        folder.routines.map(({ name, hash }) => [name, hash]).sort(),
      )
      expect(new Map(after.filter(({ error }) => error !== null).map(({ name, error }) => [name, error]))).toEqual(
        new Map([...folder.broken].map(([name, problems]) => [name, problems.map(formatProblem).join('\n')])),
      )
      expect(decideApplying(after, folder)).toEqual({
        versions: [],
        changed: [],
        rescheduled: [],
        rewritten: [],
        broken: [],
        removed: [],
      })
    }),
  )
})
