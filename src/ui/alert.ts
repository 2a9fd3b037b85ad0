import type { Alert } from '../ledger/schema.ts'
import { html, type Html } from './html.ts'
import { moment, type Clock } from './moment.ts'
import { pathOf } from './path.ts'
import { dotted } from './row.ts'
import { capital } from './words.ts'

/** Something that should have happened and did not, and what a person can do about it. */
export function alertRow(alert: Alert, clock: Clock): Html {
  const { routine, message } = alert
  return html`<li class="row">
    ${routine !== '' && html`<p class="kicker">${routine}</p>`}
    <h3>${capital(message)}</h3>
    ${since(alert, clock)} ${wayOut(alert)}
  </li>`
}

/** On a morning on which nothing else wants a decision. */
export function leadAlert(alert: Alert, clock: Clock): Html {
  return html`<article class="lead row" id="lead">
    <p class="kicker"><strong>Not as it should be</strong></p>
    <h1>${capital(alert.message)}</h1>
    ${since(alert, clock)} ${wayOut(alert)}
  </article>`
}

function since({ kind, raisedAt }: Alert, clock: Clock): Html {
  const word = kind === 'routine_paused' ? 'paused' : 'alert'
  return html`<p class="byline">
    ${dotted([html`<span class="state you"><span aria-hidden="true">◇</span> ${word}</span>`, moment(raisedAt, clock)])}
  </p>`
}

function wayOut({ kind, routine }: Alert): Html {
  if (kind !== 'routine_paused') return html`<p><code class="command">overnight doctor</code></p>`
  return html`<div class="acts">
    <form method="post" action="${pathOf('routines', routine, 'resume')}">
      <button class="quiet" aria-label="Resume: ${routine}">Resume</button>
    </form>
  </div>`
}
