import { writtenDuration } from '../keys/duration.ts'
import type { HmacWay, Place, WebhookSource, Way } from '../webhooks/source.ts'

/** What a person wants to know of a webhook source before it is in force; null = it has no such rule. Whatever counts is among it. */
export type SourceFacts = Record<
  'about' | 'proof' | 'secrets' | 'asks' | 'sends' | 'name' | 'kind' | 'answers',
  string | null
>

export function sourceFactsOf(source: WebhookSource): SourceFacts {
  const { description, ways, secrets, poll, id, event, acknowledge, challenges } = source
  const receives = ways.length > 0
  return {
    about: description === '' ? null : description,
    proof: receives ? ways.map(proofText).join(' or ') : null,
    secrets: secrets.length === 0 ? null : secrets.map((name) => `secret:${name}`).join(', '),
    asks: poll && asksText(poll),
    sends: poll && headersText(poll.headers),
    name: receives ? placesText(id, 'a hash of the body') : null,
    kind: placesText(event, 'event'),
    answers: receives ? `${acknowledge}${challenges ? ', and its challenge' : ''}` : null,
  }
}

function proofText(way: Way): string {
  if (way.kind === 'token') return `${way.prefix}token in ${way.header}`
  const { algorithm, encoding, key, header, separator, prefix, signed, id } = way
  return [
    `${algorithm} (${encoding}) of ${signed}, in ${header}`,
    ...(prefix === '' ? [] : [`after ${prefix}`]),
    ...(separator === null ? [] : [`between ${JSON.stringify(separator)}`]),
    ...(key === 'text' ? [] : [`key in ${key}`]),
    ...(id === null ? [] : [`id in ${id}`]),
    ...timeText(way),
  ].join(', ')
}

function timeText({ timestamp, toleranceMs }: HmacWay): string[] {
  if (timestamp === null) return []
  const where = 'part' in timestamp ? `after ${timestamp.part}` : `in ${placeText(timestamp)}`
  return [`time ${where}, ${writtenDuration(toleranceMs)} off at most`]
}

function asksText({ url, everyMs, items, id }: NonNullable<WebhookSource['poll']>): string {
  const list = items.length === 0 ? 'the answer' : items.join('.')
  return `${url} every ${writtenDuration(everyMs)}, ${id.join('.')} of ${list}`
}

export function headersText(headers: Readonly<Record<string, string>>): string | null {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return lines.length === 0 ? null : lines.join(', ')
}

function placesText(places: readonly Place[], otherwise: string): string {
  return [...places.map(placeText), otherwise].join(' or ')
}

function placeText(place: Place): string {
  return 'header' in place ? `header ${place.header}` : `body ${place.body.join('.')}`
}
