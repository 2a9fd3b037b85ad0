import type { DeliveryRow, OccasionRow, SlotRow } from '../ledger/occasions.ts'
import type { Slot } from '../ledger/schema.ts'
import { html, type Html, type Part } from './html.ts'
import { moment, type Clock } from './moment.ts'
import { deliveryHeadline, deliveryReason, outcomeMark, outcomeWords } from './occasion-words.ts'
import { pathOf } from './path.ts'
import { dotted, runPath } from './row.ts'
import { reasonSentence } from './words.ts'

/** A slot or a delivery in a list. */
export function occasionRow(row: OccasionRow, clock: Clock): Html {
  return 'slot' in row ? slotRow(row.slot, clock) : deliveryRow(row.delivery, clock)
}

export function slotRow(slot: Slot & Partial<Pick<SlotRow, 'run'>>, clock: Clock): Html {
  const outcome = slot.outcome ?? 'owed'
  const says = reasonSentence(slot.reason) ?? outcomeWords[outcome].says
  return html`<li class="row">
    <p class="kicker">${dotted([slot.routine, 'slot'])}</p>
    <h3>${slot.run ? html`<a href="${runPath({ id: slot.run })}">${says}</a>` : says}</h3>
    <p class="byline">${dotted([outcomeMark(outcome), slot.late && 'late', moment(slot.at, clock)])}</p>
  </li>`
}

function deliveryRow(delivery: DeliveryRow, clock: Clock): Html {
  const { id, source, sender, outcome, replayOf, receivedAt, firings } = delivery
  const why = deliveryReason(delivery)
  const runs = firings.flatMap(({ routine, run }): Part[] =>
    run === null ? [] : [html`<a href="${runPath({ id: run })}">${routine}</a>`],
  )
  return html`<li class="row">
    <p class="kicker">
      ${dotted([source, sender !== null && sender !== source && `by ${sender}`, replayOf !== null && 'replay'])}
    </p>
    <h3><a href="${deliveryPath(id)}">${deliveryHeadline(delivery)}</a></h3>
    ${why !== null && html`<p class="detail">${why}</p>`}
    <p class="byline">${dotted([outcomeMark(outcome ?? 'owed'), ...runs, moment(receivedAt, clock)])}</p>
  </li>`
}

export const deliveryPath = (id: string): string => pathOf('deliveries', id)
