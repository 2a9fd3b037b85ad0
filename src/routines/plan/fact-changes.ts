/** A fact as it is in force and as it would be; null = there is nothing to say then. */
export type FactChange = { what: string; before: string | null; after: string | null }
type Facts = Readonly<Record<string, string | null>>

/** A rule that came or went with a routine or a source that stays. */
const none = 'none'

/** All of what is added or removed, else what differs. */
export function factChanges(old: Facts | undefined, now: Facts | undefined): FactChange[] {
  return Object.keys(old ?? now ?? {})
    .map((what) => ({ what, before: old?.[what] ?? null, after: now?.[what] ?? null }))
    .filter((fact) => fact.before !== fact.after)
    .map((fact) => (old && now ? { what: fact.what, before: fact.before ?? none, after: fact.after ?? none } : fact))
}
