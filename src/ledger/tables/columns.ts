import { sql } from '../sql.ts'
import { customType, timestamp } from './pg-core.ts'

export const bytes = customType<{ data: Buffer; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  fromDriver: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
})
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
/** The ledger's clock (a function of ours, made by the first migration), so that tests can move it. */
export const clock = sql`clock()`

export const runStates = [
  'queued',
  'preparing',
  'working',
  'waiting',
  'parked',
  'collecting',
  'publishing',
  'needs_approval',
  'published',
  'unchanged',
  'reported',
  'failed',
  'cancelled',
  'timed_out',
  'skipped',
] as const
export type RunState = (typeof runStates)[number]
export const triggers = [
  'schedule',
  'github',
  'webhook',
  'api',
  'manual',
  'retry',
  'backfill',
  /** Another routine that ended. */
  'routine',
] as const
export type Trigger = (typeof triggers)[number]
