/** A routine that could have been due. `wants` null: the event was of its kind, and its condition did not fit. */
export type Near = { routine: string; wants: string | null }

/** More names than these help nobody. */
const most = 3

/** Why an event made none of these due, by the nearest of them; null = none could have been. */
export function whyNobody(near: readonly Near[]): string | null {
  const unfit = near.filter(({ wants }) => wants === null)
  if (unfit.length > 0) return `no condition of ${listed(unfit.map(({ routine }) => routine))} fits`
  if (near.length === 0) return null
  return listed(near.map(({ routine, wants }) => `${routine} wants ${wants}`))
}

function listed(words: readonly string[]): string {
  const shown = words.length > most ? [...words.slice(0, most), `${words.length - most} more`] : words
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}
