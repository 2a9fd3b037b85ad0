import type { DeliveryRow, FiringFacts } from '../ledger/occasions.ts'
import { html, type Html, type Part } from './html.ts'
import { moment, type Clock } from './moment.ts'
import { deliveryPath } from './occasion-row.ts'
import { deliveryHeadline, deliveryReason, outcomeMark, outcomeWords } from './occasion-words.ts'
import { page } from './page.ts'
import { dotted, runPath } from './row.ts'
import { count, reasonSentence, sentence } from './words.ts'

export type DeliveryView = {
  clock: Clock
  delivery: DeliveryRow
  /** Without what proves the sender. */
  headers: Readonly<Record<string, string>>
  /** Without credentials; `cut` when there is more of it. */
  body: { text: string; cut: boolean; bytes: number }
  /** Why there is no body any more. */
  removed: string | null
}

/** One event: what it was, what became of it, and its bytes as text. */
export function deliveryPage(view: DeliveryView): Html {
  const { delivery, clock } = view
  const content = html`${head(view)}
    <div class="sheet">
      <div class="text">${causedSection(delivery.firings)} ${bodySection(view)}</div>
      <div class="margin">${factsSection(view)}</div>
    </div>`
  const title = `${deliveryHeadline(delivery)} · Overnight`
  return page({ title, clock, dateline: null, body: content, live: null, kind: 'delivery' })
}

function head({ delivery, clock, removed }: DeliveryView): Html {
  const { id, source, outcome, error, notBefore, receivedAt } = delivery
  const why = outcome === null ? null : deliveryReason(delivery)
  return html`<header class="head" id="head">
    <p class="kicker">${dotted([source, 'event'])}</p>
    <h1>${deliveryHeadline(delivery)}</h1>
    <p class="deck">${why ?? outcomeWords[outcome ?? 'owed'].says}.</p>
    <p class="byline">${dotted([outcomeMark(outcome ?? 'owed'), moment(receivedAt, clock)])}</p>
    ${error !== null && html`<p class="advice">${sentence(error)} It is tried again ${moment(notBefore, clock)}.</p>`}
    ${
      removed === null &&
      html`<div class="acts">
        <form method="post" action="${deliveryPath(id)}/replay">
          <input type="hidden" name="key" value="page:${clock.now.toISOString()}" />
          <button class="quiet" data-key="r">Replay</button>
        </form>
      </div>`
    }
  </header>`
}

function causedSection(firings: readonly FiringFacts[]): Html | '' {
  if (firings.length === 0) return ''
  return html`<section id="caused" aria-labelledby="caused-title">
    <h2 id="caused-title">What it caused</h2>
    <dl>
      ${firings.map(
        ({ routine, outcome, reason, run }) =>
          html`<div>
            <dt>${routine}</dt>
            <dd>
              ${run === null ? outcome : html`<a href="${runPath({ id: run })}">${outcome}</a>`}${reason !== null && `. ${sentence(reasonSentence(reason) ?? '')}`}
            </dd>
          </div>`,
      )}
    </dl>
  </section>`
}

function bodySection({ body, removed }: DeliveryView): Html {
  const none = removed ?? (body.bytes === 0 ? 'it is empty' : null)
  return html`<section id="body" aria-labelledby="body-title">
    <h2 id="body-title">Body</h2>
    ${none !== null ? html`<p class="nothing">${sentence(none)}</p>` : html`<pre tabindex="0">${body.text}</pre>`}
    ${body.cut && html`<p class="left-out">This is the beginning; it has ${count(body.bytes, 'byte')} in all.</p>`}
  </section>`
}

function factsSection({ delivery, headers, clock }: DeliveryView): Html {
  const { id, key, source, sender, replayOf, settledAt, tries } = delivery
  const facts: (readonly [name: string, value: Part])[] = [
    ['Delivery', html`<code>${id}</code>`],
    ['Its name there', html`<code>${key}</code>`],
    ['Sender', sender !== source && sender],
    ['Settled', settledAt && moment(settledAt, clock)],
    ['Failed tries', tries > 0 && tries],
    ['Replay of', replayOf !== null && html`<a href="${deliveryPath(replayOf)}">${replayOf}</a>`],
    ...Object.entries(headers).map(([name, value]) => [name, html`<code>${value}</code>`] as const),
  ]
  return html`<section id="facts" aria-labelledby="facts-title">
    <h2 id="facts-title">Facts</h2>
    <dl>
      ${facts.map(
        ([name, value]) =>
          value !== null &&
          value !== false &&
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`
}
