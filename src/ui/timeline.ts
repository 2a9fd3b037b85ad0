import type { Run, RunEvent, RunState } from '../ledger/schema.ts'
import { html, type Html, type Part } from './html.ts'
import { clockTime, duration, type Clock } from './moment.ts'
import { capital, count, isState, reasonSentence, stateWords } from './words.ts'

/** A stretch of time in one state; resting ones (somebody is waited for) are told, but not drawn. */
export type Segment = { state: RunState; ms: number }

const resting: readonly RunState[] = ['needs_approval', 'waiting', 'parked']

/** The states a run went through, in order; the one it is in lasts until now. */
export function segmentsOf(run: Run, events: readonly RunEvent[], now: Date): Segment[] {
  const changes = [
    { state: 'queued' as RunState, at: run.createdAt },
    ...events.flatMap((event) => {
      const { state } = event.data
      return event.kind === 'state' && isState(state) ? [{ state, at: event.at }] : []
    }),
  ]
  const end = run.endedAt ?? now
  return changes
    .map(({ state, at }, place) => ({
      state,
      ms: Math.max(0, (changes[place + 1]?.at ?? end).getTime() - at.getTime()),
    }))
    .filter(({ ms }, place) => ms > 0 && (run.endedAt === null || place < changes.length - 1))
}

export type TimelineView = { run: Run; events: readonly RunEvent[]; clock: Clock }

export function timelineSection({ run, events, clock }: TimelineView): Html {
  const segments = segmentsOf(run, events, clock.now)
  const total = segments.reduce((sum, { ms }) => sum + ms, 0)
  return html`<section id="timeline" aria-labelledby="timeline-title">
    <h2 id="timeline-title">Timeline</h2>
    ${total > 0 && bar(segments.filter(({ state }) => !resting.includes(state)))}
    <p class="sum">
      ${segments.map(({ state, ms }) => html`<span class="fact"><i class="swatch s-${state}"></i>${stateWords[state].word} ${duration(ms)}</span>`)}
    </p>
    <ol class="events" id="events">
      ${timelineEvent({ id: 0, kind: 'state', data: { state: 'queued' }, at: run.createdAt }, clock)}${events.map((event) => timelineEvent(event, clock))}
    </ol>
  </section>`
}

/** One bar, one width per state; the sentence below it says the same. */
function bar(segments: readonly Segment[]): Html {
  const total = segments.reduce((sum, { ms }) => sum + ms, 0) || 1
  let from = 0
  const pieces = segments.map(({ state, ms }) => {
    const [x, width] = [from, Math.max(3, (ms / total) * 1000)]
    from += (ms / total) * 1000
    return html`<rect class="s-${state}" x="${x.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="10"></rect>`
  })
  return html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">${pieces}</svg>`
}

/** One line of the timeline. */
function timelineEvent(event: Pick<RunEvent, 'id' | 'kind' | 'data' | 'at'>, clock: Clock): Html {
  return html`<li id="event-${event.id}">${clockTime(event.at, clock)} <span>${sentence(event)}</span></li>`
}

function sentence({ kind, data }: Pick<RunEvent, 'kind' | 'data'>): Part {
  const said = (name: string) => (typeof data[name] === 'string' ? data[name] : null)
  if (kind === 'state')
    return stateSentence(said('state'), said('message') ?? reasonSentence(said('reason')), said('by'))
  if (kind === 'gate') {
    const findings: unknown[] = Array.isArray(data['findings']) ? data['findings'] : []
    return `The gate wants a person to look: ${count(findings.length, 'finding')}`
  }
  const text = said('text') ?? said('message') ?? said('step')?.replaceAll('_', ' ')
  return capital(text ?? JSON.stringify(data))
}

function stateSentence(name: string | null, more: string | null, by: string | null): Part {
  const word = isState(name) ? stateWords[name] : { shape: '●', word: name ?? 'changed' }
  return html`<span aria-hidden="true">${word.shape}</span>
    ${capital(word.word)}${by !== null && ` by ${by}`}${more !== null && more !== '' && `: ${more}`}`
}
