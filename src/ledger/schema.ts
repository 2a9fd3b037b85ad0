import type { deliveries, firings, routines, routineVersions, schedules, slots } from './tables/occasions.ts'
import type { alerts, apiTokens, outbox, polls } from './tables/outside.ts'
import type { patches, publications, pulls } from './tables/results.ts'
import type { sealedSecrets } from './tables/secrets.ts'
import type { attempts, runEvents, runs, workers } from './tables/runs.ts'

export * from './tables/occasions.ts'
export * from './tables/outside.ts'
export * from './tables/results.ts'
export * from './tables/runs.ts'
export * from './tables/secrets.ts'
export { runStates, triggers, type RunState, type Trigger } from './tables/columns.ts'

export type RoutineRow = typeof routines.$inferSelect
export type RoutineVersion = typeof routineVersions.$inferSelect
export type ScheduleRow = typeof schedules.$inferSelect
export type Slot = typeof slots.$inferSelect
export type Delivery = typeof deliveries.$inferSelect
export type ApiToken = typeof apiTokens.$inferSelect
export type Alert = typeof alerts.$inferSelect
export type OutboxRow = typeof outbox.$inferSelect
export type SealedSecret = typeof sealedSecrets.$inferSelect
export type PollRow = typeof polls.$inferSelect
export type Firing = typeof firings.$inferSelect
export type Run = typeof runs.$inferSelect
export type Attempt = typeof attempts.$inferSelect
export type WorkerRow = typeof workers.$inferSelect
export type RunEvent = typeof runEvents.$inferSelect
/** What pages show of a patch; the pack itself is read only to publish it. */
export type PatchFacts = typeof patches.$inferSelect
export type StoredPatch = PatchFacts & { pack: Buffer }
export type Publication = typeof publications.$inferSelect
export type PullRow = typeof pulls.$inferSelect
