import type { Run } from '../ledger/schema.ts'
import { actionsOf, buttons, pullActions } from './actions.ts'
import { alertRow, leadAlert } from './alert.ts'
import { pauseText, tonight } from './coming.ts'
import type { FileProblem, HomeView } from './edition.ts'
import { html, type Html, type Part } from './html.ts'
import { clockText, type Clock } from './moment.ts'
import { slotRow } from './occasion-row.ts'
import { page } from './page.ts'
import { pullName, type PullView, reviewLink } from './pull.ts'
import { byline, dotted, runPath, runRow } from './row.ts'
import { capital, count, detail, dollars, headline, sentence } from './words.ts'

/** The morning edition: what needs you, what is ready, what failed, what runs, what comes next. */
export function homePage(view: HomeView): Html {
  const { clock, counts, live } = view
  const title =
    counts.needsYou > 0 ? `${counts.needsYou} need${counts.needsYou === 1 ? 's' : ''} you · Overnight` : 'Overnight'
  return page({ title, clock, dateline: dateline(view), body: homeMain(view), live, kind: 'home' })
}

function dateline({ counts, alerts, paused, clock }: HomeView): Part {
  const { ran, ready, needsYou, failed, costUsd } = counts
  const facts: Part[] = [
    `${ran} ran`,
    ready > 0 && `${ready} ready`,
    failed > 0 && `${failed} failed`,
    needsYou > 0 && html`<strong>${needsYou} need${needsYou === 1 && 's'} you</strong>`,
    costUsd !== null && dollars(costUsd),
    alerts.length > 0 && html`<strong>${count(alerts.length, 'alert')}</strong>`,
    paused && html`<strong>${pauseText(paused, clock)}</strong>`,
  ]
  return dotted(facts)
}

/** `overnight check` names all of them. */
const shownProblems = 10

function homeMain(view: HomeView): Html {
  const { clock, problems } = view
  const [first, ...others] = view.needsYou
  const waiting = first ? view.ready : view.ready.slice(1)
  const rows = (runs: readonly { run: Run; pull: PullView | null }[]) => runs.map((item) => runRow(item, clock))
  return html`<div class="front">
    ${lead(view)}
    <div class="columns">
      ${column(
        'alerts',
        'Not as it should be',
        (leadsWithAlert(view) ? view.alerts.slice(1) : view.alerts).map((alert) => alertRow(alert, clock)),
      )}
      ${column('needs-you', 'Also needs you', rows(others))}
      ${column(
        'ready',
        first ? 'Ready to review' : 'Also ready to review',
        waiting.map((item) => readyRow(item, clock)),
      )}
      ${column('failed', 'Failed', rows(view.failed))}
      ${column('files', 'Files to mend', problems.slice(0, shownProblems).map(problemRow))}
      ${column('running', 'Running', rows(view.running))}
    </div>
    ${tonight(view)}
    ${column(
      'happened',
      'What else happened',
      view.happened.map((item) => ('slot' in item ? slotRow(item.slot, clock) : runRow(item, clock))),
    )}
  </div>`
}

function column(id: string, title: string, rows: readonly Html[]): Html | '' {
  if (rows.length === 0) return ''
  return html`<section class="column" id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title} <span class="count">${rows.length}</span></h2>
    <ul>
      ${rows}
    </ul>
  </section>`
}

/** The first thing that wants a decision, with its buttons; on a quiet morning the page says that it is quiet. */
function lead({ clock, needsYou, ready, tonight, counts, problems, alerts }: HomeView): Html {
  const [first] = needsYou
  if (first) return leadStory({ kicker: html`<strong>Needs you</strong>`, ...first, clock })
  const [news] = ready
  if (news?.run) return leadStory({ kicker: 'Ready to review', run: news.run, pull: news.pull, clock })
  if (news) return leadPull(news.pull)
  if (alerts[0]) return leadAlert(alerts[0], clock)
  const soonest = tonight.find(({ at }) => at !== null)
  if (counts.ran === 0 && tonight.length === 0 && problems.length === 0) return emptyLead()
  return html`<article class="lead" id="lead">
    <p class="kicker">All quiet</p>
    <h1>Nothing needs you</h1>
    <p class="deck">
      ${counts.ran > 0 ? `${capital(count(counts.ran, 'run'))} since yesterday, and nothing is left to decide.` : 'Nothing ran since yesterday.'}${soonest?.at ? html` Next is ${soonest.routine} at ${clockText(soonest.at, clock)}.` : ''}
    </p>
  </article>`
}

function leadsWithAlert({ needsYou, ready }: HomeView): boolean {
  return needsYou.length === 0 && ready.length === 0
}

type LeadStory = { kicker: Part; run: Run; pull: PullView | null; clock: Clock }

function leadStory({ kicker, run, pull, clock }: LeadStory): Html {
  const deck = detail(run)
  return html`<article class="lead row" id="lead">
    <p class="kicker">${dotted([kicker, run.routine])}</p>
    <h1><a href="${runPath(run)}">${headline(run)}</a></h1>
    ${deck !== null && html`<p class="deck">${deck}</p>`}
    <p class="byline">${byline({ run, pull }, clock)}</p>
    ${buttons(
      actionsOf(run, pull).filter(({ verb }) => verb !== 'retry'),
      '/',
    )}
    <p class="more">${dotted([html`<a href="${runPath(run)}#changes">Read the change</a>`, reviewLink(pull)])}</p>
  </article>`
}

function leadPull(pull: PullView): Html {
  return html`<article class="lead row" id="lead">
    <p class="kicker">Ready to review</p>
    <h1>${pull.title}</h1>
    <p class="byline">${dotted([pullName(pull), pull.branch])}</p>
    ${buttons(pullActions(pull), '/')}
  </article>`
}

function emptyLead(): Html {
  return html`<article class="lead" id="lead">
    <p class="kicker">The first edition</p>
    <h1>No routines yet</h1>
    <p class="deck">
      A routine is a Markdown file in the routines folder. Write the first one, and it is here within two seconds.
    </p>
    <p><code class="command">overnight new</code></p>
  </article>`
}

function readyRow({ run, pull }: { run: Run | null; pull: PullView }, clock: Clock): Html {
  if (run) return runRow({ run, pull }, clock)
  return html`<li class="row">
    <h3>${pull.title}</h3>
    <p class="byline">${dotted([pullName(pull), pull.branch])}</p>
  </li>`
}

function problemRow({ file, message, hint }: FileProblem): Html {
  return html`<li class="row">
    <p class="kicker">${file}</p>
    <h3>${capital(message)}</h3>
    <p class="detail">${hint !== null && `${sentence(hint)} `}The last good version stays in force.</p>
    <p><code class="command">overnight check</code></p>
  </li>`
}
