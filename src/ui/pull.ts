import type { PullRow } from '../ledger/schema.ts'
import { html, type Html, type Part } from './html.ts'

/** A pull request as pages need it: a row of the ledger or the answer of a forge. */
export type PullView = Pick<PullRow, 'id' | 'number' | 'branch' | 'base' | 'head' | 'state' | 'title'> & {
  url?: string
}

/** The pull request in words; on a forge with pages of its own, a link to it. */
export function pullName(pull: PullView): Html {
  return outsideLink(pull.url ?? '', `pull request #${pull.number}`)
}

/** A link out of the house only where it is https; anything else stays text. */
export function outsideLink(url: string, label: Part): Html {
  return URL.canParse(url) && new URL(url).protocol === 'https:'
    ? html`<a href="${new URL(url).href}" rel="noopener noreferrer">${label}</a>`
    : html`${label}`
}
