import { html, type Html, type Part } from './html.ts'
import type { Clock } from './moment.ts'
import { page } from './page.ts'
import { sentence } from './words.ts'

/** What happened and the next step. `command` is shown for copying; `back` is where the reader came from. */
type Message = {
  title: string
  text: string
  hint?: string | undefined
  command?: string
  back?: { path: string; label: string }
}

function messagePage(message: Message, clock: Clock): Html {
  const { title, text, hint, command, back = { path: '/', label: 'To the front page' } } = message
  const body = html`<article class="lead">
    <h1>${title}</h1>
    <p class="deck">${sentence(text)}</p>
    ${hint !== undefined && html`<p>${withCommands(sentence(hint))}</p>`}
    ${command !== undefined && html`<p><code class="command">${command}</code></p>`}
    <p class="more"><a href="${back.path}">${back.label}</a></p>
  </article>`
  return page({ title: `${title} · Overnight`, clock, dateline: null, body, live: null, kind: 'message' })
}

/** What stands between backticks is typed, not read. */
function withCommands(text: string): Part {
  return text
    .split(/`([^`]+)`/)
    .map((part, index) => (index % 2 === 0 ? part : html`<code class="command">${part}</code>`))
}

const titles: Readonly<Record<number, string>> = {
  400: 'That cannot be read',
  401: 'Sign in first',
  403: 'Not from here',
  404: 'There is nothing here',
  409: 'Not now',
  410: 'This is gone',
  413: 'That is too large',
  503: 'Not at the moment',
}

/** The page for an error that has a status (`OvernightError`): its sentence, and what to do. */
export function errorPage(error: { status: number; message: string; hint?: string | undefined }, clock: Clock): Html {
  const title = titles[error.status] ?? 'Something went wrong here'
  const hint =
    error.hint ?? (error.status >= 500 ? 'the log of the service has the details; reload to try again' : undefined)
  return messagePage({ title, text: error.message, hint }, clock)
}
