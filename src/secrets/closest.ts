import type { Asker } from './secret-source.ts'

/** '' = any. */
export type Scope = { routine: string; repository: string }

/** Of those that are stored under one name, the one that says most of those that are for who asks. */
export function closest<T extends Scope>(rows: readonly T[], { routine, repository }: Asker): T | undefined {
  const fitting = rows.filter(
    (row) =>
      (row.routine === '' || row.routine === routine) &&
      (row.repository === '' || row.repository.toLowerCase() === repository?.toLowerCase()),
  )
  const weight = (row: Scope) => (row.routine === '' ? 0 : 2) + (row.repository === '' ? 0 : 1)
  return fitting.toSorted((a, b) => weight(b) - weight(a))[0]
}

/** Why none of them is for who asks; undefined: there are none. */
export function whyNone(rows: readonly Scope[]): string | undefined {
  return rows.length === 0 ? undefined : `it is stored for ${rows.map(scopeOf).join('; ')} alone`
}

function scopeOf({ routine, repository }: Scope): string {
  return [routine && `the routine ${routine}`, repository && `the repository ${repository}`]
    .filter(Boolean)
    .join(' in ')
}
