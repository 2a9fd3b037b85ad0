import type { DeliveryRow, OccasionOutcome } from '../ledger/occasions.ts'
import { html, type Html } from './html.ts'
import { capital, reasonText } from './words.ts'

type OutcomeWord = { shape: string; word: string; says: string }

/** An outcome has a shape and a word, as a state has. `says` heads what has no reason of its own. */
export const outcomeWords: Readonly<Record<OccasionOutcome, OutcomeWord>> = {
  owed: { shape: '◐', word: 'owed', says: 'Nothing has become of it yet' },
  fired: { shape: '✓', word: 'fired', says: 'It started a run' },
  coalesced: { shape: '+', word: 'coalesced', says: 'It joined a run that was waiting' },
  skipped: { shape: '»', word: 'skipped', says: 'It was skipped' },
  missed: { shape: '○', word: 'missed', says: 'It was missed' },
  unmatched: { shape: '–', word: 'unmatched', says: 'No routine asks for it' },
  refused: { shape: '×', word: 'refused', says: 'It was refused' },
}

export function outcomeMark(outcome: OccasionOutcome): Html {
  const { shape, word } = outcomeWords[outcome]
  return html`<span class="state calm"><span aria-hidden="true">${shape}</span> ${word}</span>`
}

/** "Pull request opened, pr-7 in acme/shop". What other senders call an event stands as they write it: so do routines. */
export function deliveryHeadline({ source, event, action, subject, repository }: DeliveryRow): string {
  const said = [event, action].filter(Boolean).join(' ')
  const what = source === 'github' ? capital(said.replaceAll('_', ' ')) : said
  const about = [subject, repository].filter(Boolean).join(' in ')
  return about === '' ? what : `${what}, ${about}`
}

/** Why nothing was started, a sentence a routine; what the ledger keeps as a word is said in words. */
export function deliveryReason({ outcome, reason, error }: DeliveryRow): string | null {
  if (outcome === null) return error
  if (outcome === 'fired' || reason === null) return null
  // No routine's name comes first.
  if (outcome === 'unmatched') return capital(reason)
  return reason.split('; ').map(inWords).join('; ')
}

function inWords(part: string): string {
  const [, routine, word = ''] = /^([^:]+): (\w+)$/.exec(part) ?? []
  const said = reasonText({ reason: word })
  return routine === undefined || said === null ? part : `${routine}: ${said}`
}
