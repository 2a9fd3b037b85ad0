import { z } from 'zod'
import { occasionOutcomes, type DeliveryRow, type SlotRow } from '../../ledger/occasions.ts'
import { removalOf } from '../../triggers/forget.ts'
import type { DeliveryBody } from './delivery-body.ts'
import { redactedHeaders } from '../redacted.ts'

const FiringJson = z.object({
  firing: z.string(),
  routine: z.string(),
  outcome: z.string(),
  reason: z.string().nullable(),
  run: z.string().nullable(),
})
export const DeliveryJson = z.object({
  delivery: z.string(),
  source: z.string(),
  event: z.string(),
  action: z.string().nullable(),
  repository: z.string().nullable(),
  sender: z.string().nullable(),
  subject: z.string().nullable(),
  outcome: z.enum(occasionOutcomes).describe('`owed`: nothing has become of it yet.'),
  reason: z.string().nullable(),
  replayOf: z.string().nullable(),
  receivedAt: z.iso.datetime(),
  settledAt: z.iso.datetime().nullable(),
  bodyRemovedAt: z.iso.datetime().nullable().describe('It was kept for its time; everything else stays.'),
  firings: z.array(FiringJson).describe('What it caused, a routine each.'),
})
export type DeliveryJson = z.infer<typeof DeliveryJson>

export const DeliveryWholeJson = DeliveryJson.extend({
  key: z.string().describe('What the sender calls it.'),
  headers: z.record(z.string(), z.string()).describe('Without signatures and credentials.'),
  bytes: z.number().int().describe('Length of the body.'),
  body: z.unknown().describe('The JSON of the body without what looks like a credential; null where `text` has it.'),
  text: z.string().nullable().describe('A body that is no JSON, or is too long or too deep to be read here as such.'),
  removed: z.string().nullable().describe('Why there is no body any more; null = it is as it came.'),
  cut: z.boolean().describe('`text` is only the beginning.'),
  tries: z.number().int().describe('How often it could not be settled.'),
  error: z.string().nullable().describe('Why it could not be settled the last time.'),
  nextTryAt: z.iso.datetime().nullable(),
  links: z.object({ self: z.string(), page: z.string(), replay: z.string() }),
})
export type DeliveryWholeJson = z.infer<typeof DeliveryWholeJson>

export const SlotJson = z.object({
  routine: z.string(),
  at: z.iso.datetime(),
  outcome: z.enum(occasionOutcomes).describe('`owed`: nothing has become of it yet.'),
  late: z.boolean(),
  reason: z.string().nullable(),
  firing: z.string().nullable(),
  run: z.string().nullable(),
})
export type SlotJson = z.infer<typeof SlotJson>

export function deliveryJson(row: DeliveryRow): DeliveryJson {
  const { source, event, action, repository, sender, subject, reason, replayOf } = row
  return {
    delivery: row.id,
    source,
    event,
    action,
    repository,
    sender,
    subject,
    outcome: row.outcome ?? 'owed',
    reason,
    replayOf,
    receivedAt: row.receivedAt.toISOString(),
    settledAt: row.settledAt?.toISOString() ?? null,
    bodyRemovedAt: row.bodyRemovedAt?.toISOString() ?? null,
    firings: row.firings.map(({ id, routine, outcome, reason, run }) => ({
      firing: id,
      routine,
      outcome,
      reason,
      run,
    })),
  }
}

export function deliveryWholeJson(row: DeliveryRow, { json, text, cut, bytes }: DeliveryBody): DeliveryWholeJson {
  const self = `/v1/deliveries/${row.id}`
  return {
    ...deliveryJson(row),
    key: row.key,
    headers: redactedHeaders(row.headers),
    bytes,
    body: json ?? null,
    text: json === undefined && row.bodyRemovedAt === null ? text : null,
    removed: removalOf(row),
    cut,
    tries: row.tries,
    error: row.error,
    nextTryAt: row.outcome === null ? row.notBefore.toISOString() : null,
    links: { self, page: `/deliveries/${row.id}`, replay: `${self}/replay` },
  }
}

export function slotJson({ routine, at, outcome, late, reason, firing, run }: SlotRow): SlotJson {
  return { routine, at: at.toISOString(), outcome: outcome ?? 'owed', late, reason, firing, run }
}
