import type { Pause } from '../ledger/pauses.ts'
import type { Coming, HomeView } from './edition.ts'
import { html, type Html, type Part } from './html.ts'
import { clockText, moment, type Clock } from './moment.ts'
import { pathOf } from './path.ts'

/** What comes next, what is held back, and the way to hold it. */
export function tonight({ tonight, paused, clock }: HomeView): Html | '' {
  if (tonight.length === 0) return ''
  return html`<section class="column" id="tonight" aria-labelledby="tonight-title">
    <h2 id="tonight-title">${titleOf({ tonight, clock })} <span class="count">${tonight.length}</span></h2>
    <ul>
      ${shownOf(tonight).map((coming) => comingRow(coming, clock))} ${moreRow(tonight.length - shownOf(tonight).length)}
      ${comingOfAll(paused, clock)}
    </ul>
  </section>`
}

/** The page is read on a phone; the command line lists all of them. */
const shown = 20

/** The soonest, and among them those that are held: they wait for somebody. */
function shownOf(tonight: readonly Coming[]): readonly Coming[] {
  if (tonight.length <= shown) return tonight
  const held = tonight.filter(({ paused }) => paused !== null)
  return [...held, ...tonight.filter(({ paused }) => paused === null)].slice(0, shown)
}

function moreRow(more: number): Html | '' {
  if (more <= 0) return ''
  return html`<li class="row">
    <p class="detail">And ${more} more: <code class="command">overnight routines</code></p>
  </li>`
}

function titleOf({ tonight, clock }: Pick<HomeView, 'tonight' | 'clock'>): string {
  const soonest = tonight.find(({ at }) => at !== null)?.at
  return soonest && soonest.getTime() - clock.now.getTime() > 24 * 3_600_000 ? 'Next' : 'Tonight'
}

function comingRow({ routine, at, zone, paused, rolledBack }: Coming, clock: Clock): Html {
  const when = at ? moment(at, clock, zone ?? clock.zone) : 'when somebody asks'
  // The same page asks for the same firing, however often the button is pressed.
  const key = `page:${clock.now.toISOString()}`
  return html`<li class="row coming">
    <p class="what">
      <b>${routine}</b>
      <span class="byline">${paused ? pauseText(paused, clock) : when}${rolledBack && ', rolled back'}</span>
    </p>
    <div class="acts">
      ${hold({ path: pathOf('routines', routine, paused ? 'resume' : 'pause'), isPaused: paused !== null, whom: routine })}
      <form method="post" action="${pathOf('routines', routine, 'fire')}">
        <input type="hidden" name="key" value="${key}" /><button class="quiet" aria-label="Run now: ${routine}">
          Run now
        </button>
      </form>
    </div>
  </li>`
}

/** Everything at once. */
function comingOfAll(paused: Pause | null, clock: Clock): Html {
  return html`<li class="row coming">
    <p class="what">
      <b>All routines</b> <span class="byline">${paused ? pauseText(paused, clock) : 'come when they are due'}</span>
    </p>
    <div class="acts">
      ${hold({ path: paused ? '/resume' : '/pause', isPaused: paused !== null, whom: 'all routines' })}
    </div>
  </li>`
}

/** "paused since 02:14 by ada: release week". */
export function pauseText({ at, by, reason }: Pick<Pause, 'at' | 'by' | 'reason'>, clock: Clock): Part {
  return html`paused since ${clockText(at, clock)} by ${by}${reason !== null && `: ${reason}`}`
}

function hold({ path, isPaused, whom }: { path: string; isPaused: boolean; whom: string }): Html {
  const verb = isPaused ? 'Resume' : 'Pause'
  return html`<form method="post" action="${path}">
    <button class="quiet" aria-label="${verb}: ${whom}">${verb}</button>
  </form>`
}
