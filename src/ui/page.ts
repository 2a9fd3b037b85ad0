import { html, type Html, type Part } from './html.ts'
import type { Clock } from './moment.ts'

export type Page = {
  title: string
  clock: Clock
  /** Beside the date under the masthead. */
  dateline: Part
  body: Html
  /** Where live.js listens; null = a page that does not change. */
  live: string | null
  /** The home page prints the name large; other pages lead back to it. */
  kind: 'home' | 'run' | 'occasions' | 'delivery' | 'message'
}

/** The whole document. Nothing inline, nothing from elsewhere: it works under `default-src 'none'` with our own assets allowed. */
export function page({ title, clock, dateline, body, live, kind }: Page): Html {
  return html`<!doctype html>
    <html lang="en" data-zone="${clock.zone}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/overnight.css" />
        <script src="/assets/live.js"></script>
      </head>
      <body class="${kind}" ${live !== null && html`data-live="${live}"`}>
        <a class="skip" href="#main">Skip to the text</a>
        <header class="masthead">
          <p class="name">${kind === 'home' ? 'Overnight' : html`<a href="/">Overnight</a>`}</p>
          <p class="dateline" id="dateline">
            <span class="fact"><time datetime="${clock.now.toISOString()}">${longDate(clock)}</time></span
            >${dateline}
          </p>
        </header>
        <p class="news" id="news" role="status"></p>
        <main id="main" tabindex="-1">${body}</main>
        <footer>
          <p>Times are in <span id="zone">${clock.zone}</span>.</p>
          ${kind !== 'message' && kind !== 'occasions' && html`<p class="more"><a href="/occasions">Every slot and event</a></p>`}
          <p class="tools" id="tools" hidden>
            <button type="button" class="link" id="scheme">Day or night</button>
            <button type="button" class="link" id="keys">Keys</button>
          </p>
        </footer>
        ${help()}
      </body>
    </html>`
}

function longDate({ now, zone }: Clock): string {
  return now
    .toLocaleDateString('en-GB', { timeZone: zone, weekday: 'long', day: 'numeric', month: 'long' })
    .replace(',', '')
}

const keys: readonly (readonly [key: string, does: string])[] = [
  ['j, k', 'next, previous'],
  ['Enter', 'open it'],
  ['a', 'publish: once to go to the button, again to press it'],
  ['m', 'merge, the same way'],
  ['r', 'retry, the same way'],
  ['?', 'these keys'],
]

function help(): Html {
  return html`<dialog id="help" aria-labelledby="help-title">
    <h2 id="help-title">Keys</h2>
    <dl>
      ${keys.map(
        ([key, does]) =>
          html`<div>
            <dt><kbd>${key}</kbd></dt>
            <dd>${does}</dd>
          </div>`,
      )}
    </dl>
    <form method="dialog"><button class="quiet">Close</button></form>
  </dialog>`
}
