import type { Allow } from '../../routines/routine.ts'
import type { OutsideEvent } from '../source.ts'
import { textAt } from '../webhook/places.ts'
import { isSame } from './match.ts'
import { ourBranch, type Origin } from './origin.ts'

/** As whom we act at GitHub. */
export type Self = { login: string; isApp: boolean }
const ourMarker = /^<!-- overnight: /m

/**
 * Whether we did this ourselves. An App acts under a name of its own. A token acts under a person's, who may also comment and label: then
 * it is ours when it is about a branch of ours, or its text has our mark.
 */
export function isOurs(event: OutsideEvent, origin: Origin, self: Self | undefined): boolean {
  if (!self || !isSame(origin.sender, self.login)) return false
  if (self.isApp) return true
  const text = textAt(event.payload, ['comment', 'body']) ?? ''
  if (ourMarker.test(text)) return true
  const isByHand = ['issue_comment', 'pull_request_review', 'pull_request_review_comment'].includes(event.event)
  const isLabel = event.action === 'labeled' || event.action === 'unlabeled'
  return !isByHand && !isLabel && ourBranch.test(origin.branch ?? '')
}

/** What GitHub was asked. `permission` null: it was not, because it decides nothing. */
export type Known = { isOurs: boolean; isFork: boolean; permission: string | null }

/** Does it depend on the sender's right to write? */
export function dependsOnPermission(origin: Origin, allow: Allow): boolean {
  if (origin.sender === null || origin.isBot) return false
  return !allow.users.some((login) => isSame(origin.sender, login))
}

/** Why somebody may not cause a run; undefined = they may. Default deny. */
export function refusalOf(origin: Origin, known: Known, allow: Allow): string | undefined {
  const { sender } = origin
  if (known.isOurs) return 'it was done by this service itself'
  if (sender === null) return 'nobody is named as its sender'
  if (known.isFork && !allow.forks)
    return 'it is from a fork, or of a commit on no branch here, and `allow: { forks: true }` is not set'
  if (origin.isBot) {
    const isListed = allow.bots.some((login) => isSame(sender, login))
    return isListed ? undefined : `${sender} is a bot that is not listed in \`allow: { bots: […] }\``
  }
  if (!dependsOnPermission(origin, allow)) return undefined
  if (['admin', 'maintain', 'write'].includes(known.permission ?? '')) return undefined
  return `${sender} may not write to the repository`
}

/** Nobody did it by hand: it follows from something else, perhaps from us. */
export function isMachines({ event }: OutsideEvent, origin: Origin): boolean {
  return origin.isBot || /^(check_|workflow_|status$|deployment|push$|create$)/.test(event)
}
