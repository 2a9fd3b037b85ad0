import type { OccasionOutcome, OccasionRow } from '../ledger/occasions.ts'
import { html, type Html } from './html.ts'
import type { Clock } from './moment.ts'
import { occasionRow } from './occasion-row.ts'
import { page } from './page.ts'
import { outcomeWords } from './occasion-words.ts'

export type OccasionsView = {
  clock: Clock
  rows: readonly OccasionRow[]
  /** What the list is narrowed to. */
  routine: string | null
  outcome: OccasionOutcome | null
  /** Names to choose from. */
  routines: readonly string[]
  /** The next page; null = this is the last one. */
  older: string | null
}

/** Every slot and every event on record, newest first. */
export function occasionsPage(view: OccasionsView): Html {
  const { clock, rows, older } = view
  const body = html`<header class="head">
      <h1>Every slot and every event on record</h1>
      ${filter(view)}
    </header>
    <section class="column" id="occasions" aria-labelledby="occasions-title">
      <h2 id="occasions-title">Newest first</h2>
      ${
        rows.length === 0
          ? nothing(view)
          : html`<ul>
              ${rows.map((row) => occasionRow(row, clock))}
            </ul>`
      }
    </section>
    ${older !== null && html`<p class="more"><a href="${older}" rel="next">Older ones</a></p>`}`
  const title = 'Slots and events · Overnight'
  return page({ title, clock, dateline: null, body, live: null, kind: 'occasions' })
}

function filter({ routine, outcome, routines }: OccasionsView): Html {
  const names = routine === null || routines.includes(routine) ? routines : [routine, ...routines]
  return html`<form class="filter" method="get" action="/occasions">
    <label
      >Routine
      <select name="routine">
        <option value="">all</option>
        ${names.map((name) => html`<option value="${name}" ${name === routine && 'selected'}>${name}</option>`)}
      </select></label
    >
    <label
      >Outcome
      <select name="outcome">
        <option value="">any</option>
        ${Object.entries(outcomeWords).map(
          ([one, { word }]) => html`<option value="${one}" ${one === outcome && 'selected'}>${word}</option>`,
        )}
      </select></label
    >
    <button class="quiet">Show</button>
  </form>`
}

function nothing({ routine, outcome }: OccasionsView): Html {
  return routine === null && outcome === null
    ? html`<p class="nothing">Nothing was due and nothing came yet.</p>`
    : html`<p class="nothing">Nothing like that. <a href="/occasions">Show all</a></p>`
}
