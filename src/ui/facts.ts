import type { Attempt, Firing, RoutineVersion, Run } from '../ledger/schema.ts'
import { html, type Html, type Part } from './html.ts'
import { duration, moment, type Clock } from './moment.ts'
import { deliveryPath } from './occasion-row.ts'
import { isOutside, outsideLink, pullName, type PullView } from './pull.ts'
import { runPath } from './row.ts'
import { capital, dollars } from './words.ts'
import { sandboxSaid } from '../sandboxes/sandbox-said.ts'

export type FactsView = {
  run: Run
  pull: PullView | null
  /** The firings this run does the work of, oldest first. */
  firings: readonly Firing[]
  attempts: readonly Attempt[]
  version: Pick<RoutineVersion, 'file' | 'hash' | 'commit'> | null
  clock: Clock
}

export function factsSection(view: FactsView): Html {
  return html`<section id="facts" aria-labelledby="facts-title">
    <h2 id="facts-title">Facts</h2>
    <dl>
      ${facts(view).map(
        ([name, value]) =>
          value !== null &&
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    ${notes(view.run)} ${attempts(view)}
  </section>`
}

function facts({ run, pull, firings, version, clock }: FactsView): (readonly [name: string, value: Part])[] {
  const inputs = Object.entries(run.inputs)
  return [
    ['Run', html`<code>${run.id}</code>`],
    [
      'Trigger',
      firings.length > 0 ? html`${firings.map((firing) => html`<p>${trigger(firing, clock)}</p>`)}` : run.trigger,
    ],
    ['Retry of', run.retryOf === null ? null : html`<a href="${runPath({ id: run.retryOf })}">${run.retryOf}</a>`],
    ['Routine', routine(run, version)],
    [
      'Inputs',
      inputs.length > 0
        ? html`${inputs.map(([name, value]) => html`<p>${name}: <code>${String(value)}</code></p>`)}`
        : null,
    ],
    ['Repository', code(run.repository)],
    [
      'Base',
      run.base === null
        ? null
        : html`<code>${run.base}</code>${run.baseCommit && html` at <code>${run.baseCommit.slice(0, 12)}</code>`}`,
    ],
    ['Branch', code(run.branch)],
    ['Commit', code(run.commit?.slice(0, 12) ?? null)],
    ['Pull request', pullFact(run, pull)],
    ['Engine', run.engine],
    ['Agent ended', exit(run)],
    ['Sandbox', run.sandbox && sandboxSaid(run.sandbox)],
    ['Approved by', run.approvedBy],
    ['Cost', run.costUsd === null ? null : dollars(run.costUsd)],
    ['Tokens', tokens(run)],
    ['Session', code(run.session)],
  ]
}

const code = (text: string | null): Part => (text === null ? null : html`<code>${text}</code>`)

function trigger({ trigger, by, at, createdAt, outcome, delivery }: Firing, clock: Clock): Part {
  return html`${capital(trigger)}${by !== trigger && ` by ${by}`},
  ${moment(at ?? createdAt, clock)}${outcome !== 'accepted' && `, ${outcome}`}${delivery !== null && html`, <a href="${deliveryPath(delivery)}">the event</a>`}`
}

function routine(run: Run, version: FactsView['version']): Part {
  const at = version?.commit ? html` at <code>${version.commit.slice(0, 12)}</code>` : ''
  return html`${version?.file ?? run.routine}${at}, text <code>${run.hash.slice(0, 12)}</code>`
}

function pullFact(run: Run, pull: PullView | null): Part {
  if (pull) return isOutside(pull) ? pullName(pull) : html`${pullName(pull)}, ${pull.state}`
  return run.pullNumber === null ? null : outsideLink(run.pullUrl ?? '', `#${run.pullNumber}`)
}

function exit({ exit }: Run): Part {
  if (exit === null) return null
  if (exit.because === 'time_limit') return 'stopped at the time limit'
  if (exit.because === 'aborted') return 'stopped'
  return exit.signal === null ? `with code ${exit.code ?? 'unknown'}` : `by ${exit.signal}`
}

/** Read from a cache counts, too: it is a tenth of the price, and most of the number. */
function tokens({ tokens }: Run): Part {
  if (tokens === null) return null
  const number = (count: number) => count.toLocaleString('en-US')
  const cached = tokens.cacheRead > 0 ? `, ${number(tokens.cacheRead)} of them from a cache` : ''
  return `${number(tokens.input + tokens.cacheRead + tokens.cacheWrite)} in${cached}; ${number(tokens.output)} out`
}

/** What the sandbox does not do here: the reader judges the change by it. */
function notes({ notes }: Run): Part {
  return (
    notes.length > 0 &&
    html`<ul class="notes">
      ${notes.map((note) => html`<li>${capital(note)}</li>`)}
    </ul>`
  )
}

function attempts({ attempts, clock }: FactsView): Part {
  if (attempts.length < 2) return null
  return html`<h3>Attempts</h3>
    <ol class="attempts">
      ${attempts.map(
        ({ startedAt, endedAt, outcome, error }) =>
          html`<li>
            ${moment(startedAt, clock)}:
            ${outcome ?? 'at work'}${endedAt && ` after ${duration(endedAt.getTime() - startedAt.getTime())}`}${error !== null && `. ${capital(error)}`}
          </li>`,
      )}
    </ol>`
}
