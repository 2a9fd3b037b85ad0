import { z } from 'zod'
import { AskedUrl, secretPattern, SentHeaders } from '../definitions/sent-headers.ts'
import { duration } from '../keys/duration.ts'
import type { JsonSchema } from '../reading/schema-keys.ts'
import { senders, type SenderName } from './senders.ts'

const header = (meaning: string) =>
  z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be the name of a header, such as X-Signature')
    .describe(meaning)
const path = (meaning: string) =>
  z
    .string()
    .max(200)
    .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'must be a path such as event.id')
    .refine((written) => !/(^|\.)(__proto__|constructor|prototype)(\.|$)/.test(written), 'names what is never followed')
    .describe(meaning)
const secret = z
  .string()
  .regex(new RegExp(`^${secretPattern.source}$`), 'must name a secret, such as secret:SENTRY, and never hold one')

const Place = z.union([
  z.strictObject({ header: header('Its value.') }),
  z.strictObject({ body: path('What stands at this path of the body.') }),
])

const Hmac = z.strictObject({
  header: header('The header with the signature.'),
  prefix: z.string().max(40).default('').describe('What stands before the signature, such as sha256=.'),
  separator: z
    .enum([',', ' ', ';'])
    .optional()
    .describe('What stands between several signatures; each has the prefix. Default: there is one.'),
  algorithm: z.enum(['sha1', 'sha256', 'sha512']).default('sha256').describe('The hash.'),
  encoding: z.enum(['hex', 'base64']).default('hex').describe('How the signature is written.'),
  key: z.enum(['text', 'base64']).default('text').describe('How the secret is written: as it is, or base64 (whsec_…).'),
  signed: z
    .string()
    .max(200)
    .default('{body}')
    .describe('What is signed: {body}, with {ts} (the timestamp) and {id} where they are.'),
  timestamp: z
    .union([
      z.strictObject({ header: header('The header with it.') }),
      z.strictObject({ body: path('Its path in the body.') }),
      z.strictObject({
        part: z.string().min(1).max(40).describe('What it begins with in the signature, such as t=.'),
      }),
    ])
    .optional()
    .describe('When it was sent, in seconds or milliseconds since 1970.'),
  id: header('The header with the {id} that is signed.').optional(),
  tolerance: duration.default('5m').describe('How far the timestamp may be from now.'),
})

const names = Object.keys(senders) as [SenderName, ...SenderName[]]
const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1).max(5)])

const Poll = z.strictObject({
  url: AskedUrl,
  every: duration.describe('How often; at least every 30s.'),
  items: path('Where the list of items stands in the answer; without it the answer is the list.').optional(),
  id: path('What tells one item from another.').default('id'),
  headers: SentHeaders,
})

/** A file in `webhooks/` as people write it. */
export const SourceFile = z.strictObject({
  description: z.string().max(500).default('').describe('One sentence for people: who sends this.'),
  verify: z
    .union([
      z.enum([...names, 'bearer']),
      z.strictObject({
        hmac: Hmac.optional().describe('A signature over the body.'),
        token: z
          .strictObject({ header: header('The header with the secret itself.') })
          .optional()
          .describe('A shared token.'),
      }),
    ])
    .optional()
    .describe('How a delivery proves who sent it: the name of a sender, or a way of its own.'),
  secret: z
    .union([secret, z.array(secret).min(1).max(2)])
    .optional()
    .describe('secret:NAME; two of them while one is replaced by the other.'),
  id: oneOrMore(Place)
    .optional()
    .describe('What the sender calls a delivery: the same again is no new one. Default: what is known of the sender.'),
  event: oneOrMore(Place).optional().describe('What kind of event it is. Default: what is known of the sender.'),
  poll: Poll.optional().describe('For a source that tells nothing by itself: it is asked.'),
})
export type SourceFile = z.output<typeof SourceFile>
export type WrittenHmac = z.output<typeof Hmac>
export type WrittenPoll = z.output<typeof Poll>

/** For editors. Draft 7, because that is what YAML language servers read. */
export function sourceJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(SourceFile, { io: 'input', target: 'draft-7' }) as JsonSchema
  return { title: 'Overnight webhook source', ...schema }
}
