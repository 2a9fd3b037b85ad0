import type { Place } from '../../routines/webhooks/source.ts'

/** What stands at a path: own properties of maps and entries of lists, and nothing else. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inside, step) => {
    if (typeof inside !== 'object' || inside === null || (Array.isArray(inside) && !/^\d+$/.test(step)))
      return undefined
    return Object.hasOwn(inside, step) ? (inside as Record<string, unknown>)[step] : undefined
  }, value)
}

/** A text or a number at a path, as text; undefined when there is none. */
export function textAt(value: unknown, path: readonly string[]): string | undefined {
  const found = valueAt(value, path)
  if (typeof found === 'number') return Number.isFinite(found) ? String(found) : undefined
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** The first place that has something. */
export function firstText(
  places: readonly Place[],
  { header, event }: { header(name: string): string | undefined; event: unknown },
): string | undefined {
  for (const place of places) {
    const found = 'header' in place ? header(place.header) : textAt(event, place.body)
    if (found !== undefined && found !== '') return found
  }
  return undefined
}
