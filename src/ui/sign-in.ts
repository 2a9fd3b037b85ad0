import { html, type Html } from './html.ts'
import type { Clock } from './moment.ts'
import { page } from './page.ts'

/** With a key: one button that uses it (a link alone would be spent by a preview). Without: how to get one. */
export function signInPage(options: { key?: string; problem?: string }, clock: Clock): Html {
  const { key, problem } = options
  const body =
    key === undefined
      ? html`<article class="lead">
          <p class="kicker">Sign in</p>
          <h1>Who is there?</h1>
          <p class="deck">
            ${problem ?? 'This browser has not signed in.'} On the machine that runs Overnight, print a link and open it
            here. It works once, within 15 minutes.
          </p>
          <p><code class="command">overnight sign-in</code></p>
        </article>`
      : html`<article class="lead">
          <p class="kicker">Sign in</p>
          <h1>Good morning</h1>
          <p class="deck">This link signs this browser in, once.</p>
          <div class="acts">
            <form method="post" action="/sign-in">
              <input type="hidden" name="key" value="${key}" /><button class="primary">Sign in</button>
            </form>
          </div>
        </article>`
  return page({ title: 'Sign in · Overnight', clock, dateline: null, body, live: null, kind: 'message' })
}
