import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { Reason } from '../errors.ts'
import { idOf } from '../ledger/cause.ts'
import type { Firing, Trigger } from '../ledger/schema.ts'
import { fillPrompt } from '../routines/prompt/prompt.ts'
import type { Inputs, Overlap, Routine } from '../routines/routine.ts'

export type Occasion = {
  routine: Routine
  trigger: Trigger
  /** What makes this occasion itself: `cron:<instant>`, `api:<Idempotency-Key>`, `retry:<run>:<n>`, … */
  key: string
  inputs: Inputs
  /** Names of the inputs that the caller gave; the others are what the file says now. Default: all. */
  given?: readonly string[]
  by: string
  slotAt?: Date
  /** The delivery that caused it, and the event as its body says it: a concurrency key may ask for it, and it is kept there. */
  delivery?: string
  event?: unknown
  /** The event where no delivery holds it. */
  payload?: Record<string, unknown>
  /** Hears of the end of the run. */
  callback?: string
  /** `pr-7`, `issue-12`: what the event is about; default: the routine's topic. */
  subject?: string
  /** Who caused it in the outside world, for limits. */
  sender?: string
  /** Runs between this occasion and a cause outside; default 0. */
  depth?: number
  retryOf?: string
  /** Of the run that is retried; default: what the routine says. */
  concurrencyKey?: string
  /** Nothing can be started, and that is on record. */
  refused?: Reason
  /** `--repository`: this run works there, whatever the file says. */
  repository?: string
  /** Someone waits for exactly this run (`overnight run`): it neither joins nor replaces another. */
  alone?: boolean
  /** All of the work, and nothing is published; then it is `alone`, too. */
  trial?: boolean
}
export type Fired = { firing: Firing; run: string | null; fresh: boolean }

const byPeople: ReadonlySet<Trigger> = new Set(['manual', 'retry', 'backfill'])
/** They come when something happens outside, and often several at once. */
const events: ReadonlySet<Trigger> = new Set(['github', 'webhook', 'api', 'routine'])

/** Asked for in person: then no pause holds it and no overlap leaves it out. */
export const isAskedFor = ({ trigger }: Pick<Occasion, 'trigger'>): boolean => byPeople.has(trigger)
export const isEvent = ({ trigger }: Pick<Occasion, 'trigger'>): boolean => events.has(trigger)

/** A past window is caught up with slot by slot; a person who asks while it still runs waits. */
export function overlapFor({ routine, trigger, alone, trial }: Occasion): Overlap['mode'] {
  const { mode } = routine.overlap
  if (alone || trial || trigger === 'backfill') return 'queue_all'
  return mode === 'skip' && byPeople.has(trigger) ? 'queue_one' : mode
}

const longestKey = 200
/** Trials are held apart from one another and hold up nothing else: they change nothing. A key that is written begins with no space. */
const trialKey = ' trial'

/** Which runs of the routine it is held apart from by `overlap`; '' = all of them. */
export function concurrencyKeyOf(occasion: Occasion): string {
  const { routine, inputs, slotAt } = occasion
  if (occasion.concurrencyKey !== undefined) return occasion.concurrencyKey
  if (occasion.trial) return trialKey
  if (routine.concurrency === null) return ''
  const event = occasion.event ?? occasion.payload ?? {}
  const key = fillPrompt(routine.concurrency, { inputs, event, slot: { at: slotAt?.toISOString() ?? '' } }).trim()
  // The ledger keeps text as Unicode without NUL.
  const fits = key.length <= longestKey && key.isWellFormed() && !key.includes('\0')
  return fits ? key : `sha256:${createHash('sha256').update(key).digest('hex')}`
}

/** The name that limits count by until the forge has said its own for it. */
export function repositoryOf({ routine, repository }: Occasion): string | null {
  const written = repository ?? routine.repository
  if (written === null) return null
  const onForge = /^(?:https?:\/\/[^/]+\/)?([A-Za-z0-9][\w-]*\/[\w.-]+?)(?:\.git)?\/?$/.exec(written)
  return onForge?.[1] ?? (written.includes('://') ? written : resolve(dirname(routine.file), written))
}

/** The same cause is the same id, for ever. */
export const occasionId = (routine: string, key: string): string => idOf(routine, key)
