import type { OutsideEvent } from '../source.ts'

/** A branch of a repository, as people wrote it; null = its default branch. */
export type Branch = { repository: string; branch: string | null }

/** Was this branch pushed to? */
export function isPushTo({ source, event, repository, payload }: OutsideEvent, wanted: Branch): boolean {
  if (source !== 'github' || event !== 'push' || repository === null) return false
  const branch = branchOf(wanted, payload)
  return names(wanted.repository, repository) && branch !== null && payload['ref'] === `refs/heads/${branch}`
}

function branchOf({ branch }: Branch, { repository }: OutsideEvent['payload']): string | null {
  if (branch !== null) return branch
  const isNamed = typeof repository === 'object' && repository !== null && 'default_branch' in repository
  return isNamed && typeof repository.default_branch === 'string' ? repository.default_branch : null
}

/** `owner/name` itself, or an address that ends in it. */
export function names(written: string, repository: string): boolean {
  const [address, name] = [written.toLowerCase().replace(/\/?(?:\.git)?\/?$/, ''), repository.toLowerCase()]
  return address === name || address.endsWith(`/${name}`) || address.endsWith(`:${name}`)
}
