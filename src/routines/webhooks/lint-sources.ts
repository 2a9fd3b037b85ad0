import { secretsIn } from '../definitions/sent-headers.ts'
import { placeAt, quoted } from '../format.ts'
import { advice } from '../nearest.ts'
import type { Problem, Routine } from '../routine.ts'
import { anybody, senders } from './senders.ts'
import type { WebhookSource } from './source.ts'

/** Sources that routines name and nobody has: their events would come to nothing. */
export function lintWebhooks(routines: readonly Routine[], sources: readonly string[]): Problem[] {
  return routines.flatMap(({ file, source: text, webhooks }) => {
    const unknown = new Set(webhooks.map(({ source }) => source).filter((source) => !sources.includes(source)))
    return [...unknown].map((source) => {
      const at = text.search(new RegExp(`source:\\s*["']?${source}\\b`))
      const hint = sources.length === 0 ? `write webhooks/${source}.yaml` : advice(source, sources)
      return { file, ...placeAt(text, at), message: `there is no webhook source ${quoted(source)}`, hint }
    })
  })
}

/** Every secret that a source would send. */
export const sentSecretsOf = ({ poll }: WebhookSource): string[] => secretsIn(poll?.headers ?? {})

/** What senders themselves call a delivery is theirs to sign. */
const theirs = [anybody, ...Object.values(senders)].map(({ id }) => JSON.stringify(id))

/**
 * A name in a header that is not signed, where no time is signed either: whoever copies such a delivery may send it again under another name,
 * and nothing tells.
 */
export function lintNames(sources: readonly WebhookSource[]): Problem[] {
  return sources.flatMap(({ file, ways, id }) => {
    const timeless = ways.filter((way) => way.kind === 'hmac' && way.timestamp === null)
    const signed = new Set(timeless.map((way) => way.kind === 'hmac' && way.id))
    const open = id.find((place) => 'header' in place && !signed.has(place.header))
    if (timeless.length === 0 || open === undefined || !('header' in open) || theirs.includes(JSON.stringify(id)))
      return []
    const message = `the name in ${open.header} is not signed: a copy under another name passes as a new delivery`
    const hint = 'take a name of the body (id: { body: … }), or sign it ({id} in signed) or the time ({ts})'
    return [{ file, line: 1, column: 1, message, hint }]
  })
}
