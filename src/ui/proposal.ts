import type { Run } from '../ledger/schema.ts'
import { html, type Part } from './html.ts'
import { dotted } from './row.ts'

/** Of a trial: what would have been posted, as text. */
export function proposed({ proposal }: Pick<Run, 'proposal'>): Part {
  if (proposal === null) return null
  const { branch, base, title, body, draft, labels, reviewers, updates } = proposal
  const kind = updates === null ? `a new ${draft ? 'draft ' : ''}pull request` : `pull request #${updates}, updated`
  const facts: Part[] = [
    html`<code>${branch}</code> to <code>${base}</code>`,
    labels.length > 0 && `labels: ${labels.join(', ')}`,
    reviewers.length > 0 && `reviewers: ${reviewers.join(', ')}`,
  ]
  return html`<p class="sum">What would be posted: ${kind}</p>
    <p class="byline">${dotted(facts)}</p>
    <div class="prompt told">
      <figure>
        <figcaption>${title}</figcaption>
        <pre>${body}</pre>
      </figure>
    </div>`
}
