import type { OutsideEvent } from '../source.ts'
import { textAt } from '../webhook/places.ts'

/** A branch of a repository, as people wrote it; null = its default branch. */
export type Branch = { repository: string; branch: string | null }

/** Was this branch pushed to? */
export function isPushTo({ source, event, repository, payload }: OutsideEvent, wanted: Branch): boolean {
  if (source !== 'github' || event !== 'push' || repository === null) return false
  const branch = branchOf(wanted, payload)
  return names(wanted.repository, repository) && branch !== null && payload['ref'] === `refs/heads/${branch}`
}

/** The number of a pull request that would be merged into this branch and has another head than before; else undefined. */
export function newHeadInto({ event, action, source, repository, subject, payload }: OutsideEvent, wanted: Branch) {
  if (source !== 'github' || event !== 'pull_request' || repository === null || subject === null) return undefined
  const isNew = ['opened', 'synchronize', 'reopened'].includes(action ?? '')
  const branch = branchOf(wanted, payload)
  if (!isNew || branch === null || !names(wanted.repository, repository)) return undefined
  return textAt(payload, ['pull_request', 'base', 'ref']) === branch ? Number(subject.slice('pr-'.length)) : undefined
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
