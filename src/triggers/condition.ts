import type { Condition } from '../routines/keys/condition.ts'
import { isChanged } from '../routines/path-glob.ts'

/** `changed`: the paths the event changed, where it has any. */
export type Facts = { payload: unknown; changed?: readonly string[] | undefined }
type Test = Extract<Condition, { kind: 'test' }>['test']

/** Of a list in the payload so many entries are looked at. */
const maxValues = 10_000
/** So many characters, of all values of one path together, are looked at by a pattern: with `maxPatternSize` under 50 ms. */
const maxMatchedLength = 8192

/** Whether an event fits. Pure; the same answer for the same event, for ever. */
export function holds(condition: Condition, facts: Facts): boolean {
  if (condition.kind === 'all') return condition.of.every((part) => holds(part, facts))
  if (condition.kind === 'any') return condition.of.some((part) => holds(part, facts))
  if (condition.kind === 'not') return !holds(condition.of, facts)
  if (condition.kind === 'changed') return (facts.changed ?? []).some((path) => isChanged(condition.globs, path))
  return passes(condition.test, valuesAt(facts.payload, condition.path))
}

/** Every test that is written must pass; of several values one is enough, but for `ne`. */
function passes(test: Test, values: readonly unknown[]): boolean {
  const { eq, ne, in: list, exists } = test
  return (
    (exists === undefined || values.length > 0 === exists) &&
    (eq === undefined || values.includes(eq)) &&
    (ne === undefined || !values.includes(ne)) &&
    (list === undefined || list.some((one) => values.includes(one))) &&
    says(test, values)
  )
}

function says({ contains, starts_with: start, matches }: Test, values: readonly unknown[]): boolean {
  return (
    (contains === undefined || values.some((value) => has(value, contains))) &&
    (start === undefined || values.some((value) => typeof value === 'string' && value.startsWith(start))) &&
    (matches === undefined || short(values).some((text) => matches.test(text)))
  )
}

function has(value: unknown, wanted: string | number | boolean): boolean {
  if (typeof value === 'string') return value.includes(String(wanted))
  return Array.isArray(value) && value.includes(wanted)
}

/** The texts among the values, as far as a pattern looks. */
function short(values: readonly unknown[]): string[] {
  let left = maxMatchedLength
  return values.flatMap((value) => {
    if (typeof value !== 'string' || left === 0) return []
    const text = value.slice(0, left)
    left -= text.length
    return [text]
  })
}

/** What stands at a path, without null: own properties only, `*` is every entry of a list or a map. */
export function valuesAt(payload: unknown, path: readonly string[]): unknown[] {
  let values: unknown[] = [payload]
  for (const step of path) values = values.flatMap((value) => entriesAt(value, step)).slice(0, maxValues)
  return values.filter((value) => value !== null && value !== undefined)
}

function entriesAt(value: unknown, step: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if (step === '*') return Object.values(value).slice(0, maxValues)
  // `length` of a list is its own property and nothing that was sent.
  if (Array.isArray(value) && !/^\d+$/.test(step)) return []
  return Object.hasOwn(value, step) ? [(value as Record<string, unknown>)[step]] : []
}
