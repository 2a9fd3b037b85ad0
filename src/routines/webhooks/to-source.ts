import { listOf } from '../reading/availability.ts'
import { millisecondsOf } from '../keys/duration.ts'
import { anybody, bearer, plainHmac, senders } from './senders.ts'
import type { SourceFile, WrittenHmac } from './source-keys.ts'
import type { HmacWay, Place, Sender, TokenWay, WebhookSource } from './source.ts'

/** What was written, with what is known of the sender filled in. */
export function toSource(written: SourceFile): Omit<WebhookSource, 'name' | 'file'> {
  const { description, secret, poll } = written
  const sender = senderOf(written.verify)
  return {
    ...sender,
    description,
    secrets: listOf(secret).map((one) => one.slice('secret:'.length)),
    id: written.id ? listOf(written.id).map(placeOf) : sender.id,
    event: written.event ? listOf(written.event).map(placeOf) : sender.event,
    poll: poll
      ? {
          url: poll.url,
          everyMs: millisecondsOf(poll.every),
          items: pathOf(poll.items),
          id: pathOf(poll.id),
          headers: poll.headers,
        }
      : null,
  }
}

function senderOf(verify: SourceFile['verify']): Sender {
  if (verify === undefined) return { ...anybody, ways: [] }
  if (verify === 'bearer') return { ...anybody, ways: [bearer] }
  if (typeof verify === 'string') return senders[verify]
  const { hmac, token } = verify
  return { ...anybody, ways: [...(hmac ? [hmacOf(hmac)] : []), ...(token ? [tokenOf(token)] : [])] }
}

const tokenOf = ({ header }: { header: string }): TokenWay => ({
  kind: 'token',
  header: header.toLowerCase(),
  prefix: '',
})

function hmacOf({ header, id, timestamp, tolerance, separator, ...same }: WrittenHmac): HmacWay {
  return {
    ...plainHmac,
    ...same,
    header: header.toLowerCase(),
    separator: separator ?? null,
    id: id?.toLowerCase() ?? null,
    timestamp: timestampOf(timestamp),
    toleranceMs: millisecondsOf(tolerance),
  }
}

type Written = { header: string } | { body: string }

function timestampOf(written: Written | { part: string } | undefined): HmacWay['timestamp'] {
  if (written === undefined) return null
  return 'part' in written ? written : placeOf(written)
}

function placeOf(written: Written): Place {
  return 'header' in written ? { header: written.header.toLowerCase() } : { body: pathOf(written.body) }
}

function pathOf(written: string | undefined): string[] {
  return written === undefined ? [] : written.split('.')
}
