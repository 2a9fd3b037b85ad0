import { loadavg } from 'node:os'

export type Row = {
  what: string
  unit: 'ms' | '/s' | 'MB'
  figure: number
  /** A floor (what no program could beat), a peer (what people do instead) or a promise, measured in the same minutes. */
  beside: { what: string; figure: number }[]
}
export type Bench = {
  /** An empty folder of the row's own. It is removed when all rows are told. */
  place: string
  tell(row: Row): void
}

/** One line: these machines are noisy, so what counts is the ratio, and the load that it was measured under. */
export function lineOf({ what, unit, figure, beside }: Row, load = loadavg()[0]!): string {
  const told = (value: number) => `${value < 10 && unit === '/s' ? value.toFixed(1) : Math.round(value)} ${unit}`
  const others = beside.map(
    (other) => `${other.what}: ${told(other.figure)} (ours is ×${Number((figure / other.figure).toPrecision(2))})`,
  )
  return `${what.padEnd(58)} ${told(figure).padStart(9)}   ${[...others, `load ${load.toFixed(1)}`].join(' · ')}`
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('there is no median of nothing')
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

export async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}

/** The medians of several acts that take turns, so that a noisy minute falls on all of them. */
export async function mediansOf<Name extends string>(
  rounds: number,
  acts: Record<Name, (round: number) => Promise<number>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(acts) as Name[]
  const taken = new Map(names.map((name): [Name, number[]] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) taken.get(name)!.push(await acts[name](round))
  }
  return Object.fromEntries(names.map((name) => [name, median(taken.get(name)!)])) as Record<Name, number>
}
