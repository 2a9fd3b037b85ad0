import type { PullRow, Run } from '../ledger/schema.ts'
import { html, type Html, type Part } from './html.ts'

/** A pull request as pages need it: a row of the ledger or the answer of a forge. */
export type PullView = Pick<PullRow, 'id' | 'number' | 'branch' | 'base' | 'head' | 'state' | 'title'> & {
  url?: string
}

/** The pull request in words; on a forge with pages of its own, a link to it. */
export function pullName(pull: PullView): Html {
  return outsideLink(pull.url ?? '', `pull request #${pull.number}`)
}

/**
 * The pull request of a run on a forge with pages of its own, as it was when it was published: people merge and close it there, so
 * its state is not known here.
 */
export function outsidePull(run: Run): PullView | null {
  const { pull: id, pullNumber: number, pullUrl: url, branch, base, commit, title } = run
  if (id === null || number === null || url === null || branch === null || base === null) return null
  const facts = { id, number, branch, base, head: commit ?? '', state: 'open' as const, title: title ?? '', url }
  return isOutside(facts) ? facts : null
}

/** Pull requests of our own have a path for an address. */
export function isOutside({ url }: Pick<PullView, 'url'>): boolean {
  return url !== undefined && URL.canParse(url)
}

/** Where a person reviews it, when that is not here. */
export function reviewLink(pull: PullView | null): Html | '' {
  return pull !== null && isOutside(pull) ? outsideLink(pull.url ?? '', `Review ${pull.id}`) : ''
}

/** A link out of the house only where it is https; anything else stays text. */
export function outsideLink(url: string, label: Part): Html {
  return URL.canParse(url) && new URL(url).protocol === 'https:'
    ? html`<a href="${new URL(url).href}" rel="noopener noreferrer">${label}</a>`
    : html`${label}`
}
