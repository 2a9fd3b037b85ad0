import type { Pull } from '../forges/forge.ts'

/** Where the result goes: a branch, and the open pull request to update there, if there is one. */
export type Destination = { branch: string; subject: string; open: Pull | null }

export function branchPrefix(routine: string, subject: string): string {
  return `overnight/${routine}/${subject}`
}

/**
 * An open pull request of the subject is updated. Once the last one was merged or closed, the next is `<subject>-2`, then `-3`.
 * `pulls` is the whole family, in any order.
 */
export function chooseDestination(routine: string, subject: string, pulls: readonly Pull[]): Destination {
  const prefix = branchPrefix(routine, subject)
  const family = pulls
    .map((pull) => ({ pull, ordinal: ordinalOf(pull.branch, prefix) }))
    .filter(({ ordinal }) => ordinal > 0)
  const open = family.filter(({ pull }) => pull.state === 'open').toSorted((a, b) => b.ordinal - a.ordinal)[0]
  const ordinal = open?.ordinal ?? Math.max(0, ...family.map((member) => member.ordinal)) + 1
  const suffix = ordinal === 1 ? '' : `-${ordinal}`
  return { branch: `${prefix}${suffix}`, subject: `${subject}${suffix}`, open: open?.pull ?? null }
}

/** 1 for the prefix itself, n for `-n`, 0 for a branch of another subject. */
function ordinalOf(branch: string, prefix: string): number {
  if (branch === prefix) return 1
  const suffix = branch.startsWith(`${prefix}-`) ? branch.slice(prefix.length + 1) : ''
  return /^[1-9]\d{0,8}$/.test(suffix) ? Number(suffix) : 0
}

/** The pull request that this very run already made, in whatever state it is by now. */
export function findOwnPull(pulls: readonly Pull[], run: string): Pull | undefined {
  return pulls.find(({ body }) => runOfMarker(body) === run)
}

/** The run that the body's marker names; a body holds one, at its end. */
export function runOfMarker(body: string): string | undefined {
  return [...body.matchAll(/^<!-- overnight: \S+\/\S+ (\S+) -->$/gm)].at(-1)?.[1]
}
