import type { Run } from '../ledger/schema.ts'
import { html, type Html, type Part } from './html.ts'
import { duration, moment, type Clock } from './moment.ts'
import { pathOf } from './path.ts'
import { pullName, type PullView } from './pull.ts'
import { count, detail, dollars, headline, stateMark } from './words.ts'

/** A run in a list, with the pull request it stands behind. */
export type RunItem = { run: Run; pull: PullView | null }

/** Lists and pages say the same words of a run, because both take them from here. */
export function runRow({ run, pull }: RunItem, clock: Clock): Html {
  const more = detail(run)
  return html`<li class="row" id="run-${run.id}">
    <p class="kicker">${dotted([run.routine, run.trial && 'trial'])}</p>
    <h3><a href="${runPath(run)}">${headline(run)}</a></h3>
    ${more !== null && html`<p class="detail">${more}</p>`}
    <p class="byline">${byline({ run, pull }, clock)}</p>
  </li>`
}

/** "✓ published · pull request #3 · 14 files · 3 min · $0.42 · 02:14, 4 h ago". */
export function byline({ run, pull }: RunItem, clock: Clock): Html {
  const facts: Part[] = [
    stateMark(run.state),
    pull && (pull.state === 'open' ? pullName(pull) : html`${pullName(pull)} ${pull.state}`),
    (run.files ?? 0) > 0 && count(run.files ?? 0, 'file'),
    run.startedAt && run.endedAt && duration(run.endedAt.getTime() - run.startedAt.getTime()),
    run.costUsd !== null && dollars(run.costUsd),
    moment(run.endedAt ?? run.startedAt ?? run.createdAt, clock),
  ]
  return dotted(facts)
}

/** Facts on one line; each stays whole when the line breaks. */
export function dotted(facts: readonly Part[]): Html {
  const said = facts.filter((fact) => fact !== null && fact !== false && fact !== '')
  return html`${said.map((fact) => html`<span class="fact">${fact}</span>`)}`
}

export function runPath(run: Pick<Run, 'id'>): string {
  return pathOf('runs', run.id)
}
