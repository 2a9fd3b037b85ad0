import { isDeepStrictEqual } from 'node:util'
import { OvernightError, type Reason, reasons } from '../errors.ts'
import { idOf } from '../ledger/cause.ts'
import type { NewFiring } from '../ledger/firings.ts'
import type { Statements } from '../ledger/ledger.ts'
import type { Firing, Run, Trigger } from '../ledger/schema.ts'
import type { Inputs, Routine } from '../routines/routine.ts'
import { decideOverlap, sameInputs, type OverlapDecision } from './overlap.ts'

export type Occasion = {
  routine: Routine
  trigger: Trigger
  /** What makes this occasion itself: `cron:<instant>`, `api:<Idempotency-Key>`, `retry:<run>:<n>`, … */
  key: string
  inputs: Inputs
  by: string
  /** `pr-7`, `issue-12`: what the event is about; default: the routine's topic. */
  subject?: string
  slotAt?: Date
  /** The delivery whose body is the event. */
  delivery?: string
  /** The event where no delivery holds it. */
  payload?: Record<string, unknown>
  /** Hears of the end of the run. */
  callback?: string
  /** Who caused it in the outside world, for limits. */
  sender?: string
  /** Runs between this occasion and a cause outside; default 0. */
  depth?: number
  retryOf?: string
  /** `--repository`: this run works there, whatever the file says. */
  repository?: string
  /** Someone waits for exactly this run (`overnight run`): it neither joins nor replaces another. */
  alone?: boolean
}
export type Fired = { firing: Firing; run: string | null; fresh: boolean }

/** A pause holds what comes by itself; who asks in person gets what they ask for. */
const byPeople: ReadonlySet<Trigger> = new Set(['manual', 'retry', 'backfill'])

class OtherInputs extends OvernightError {
  constructor(key: string, differs: string) {
    super(`the key ${JSON.stringify(key)} was used before with ${differs}`, {
      code: 'idempotency_mismatch',
      status: 422,
      hint: 'use a new Idempotency-Key for a new request',
    })
  }
}

/**
 * The only door into a run. Inside one transaction: the firing, and the run it starts (or joins, or replaces).
 * The same occasion again answers with the first firing and changes nothing.
 */
export async function fire(tx: Statements, occasion: Occasion): Promise<Fired> {
  const { routine } = occasion
  // What waits is decided on by one at a time, in all processes together.
  await tx.oneAtATime(`routine:${routine.name}`)
  const known = await tx.firings.find(routine.name, occasion.key)
  if (known) {
    await refuseOther(tx, known, occasion)
    return { firing: known, run: known.run, fresh: false }
  }
  const pause = byPeople.has(occasion.trigger) ? undefined : await tx.pauses.of(routine.name)
  if (pause) return leaveOut(tx, occasion, 'paused')
  const { name, hash, file, source, commit } = routine
  await tx.routines.ensureVersions([{ routine: name, hash, file, source, commit }])
  const wanted = {
    hash: routine.hash,
    file: routine.file,
    inputs: occasion.inputs,
    repositoryOverride: occasion.repository ?? null,
  }
  const decision = occasion.alone
    ? ({ act: 'accept', supersede: [] } satisfies OverlapDecision)
    : decideOverlap(await tx.runs.waiting(routine.name), wanted, occasion.trigger !== 'retry')
  const id = occasionId(routine.name, occasion.key)
  await tx.firings.insert(newFiring(id, occasion, decision))
  if (decision.act === 'accept') {
    await tx.runs.insert(newRun(id, occasion))
    for (const older of decision.supersede) await supersede(tx, older, id)
  }
  const stored = await tx.firings.find(routine.name, occasion.key)
  const { run } = stored!
  if (run !== null && occasion.callback !== undefined)
    await tx.callbacks.add({ run, firing: id, url: occasion.callback })
  return { firing: stored!, run, fresh: true }
}

/** A key that a caller made up stands for one request; the others are causes that cannot differ. */
async function refuseOther(tx: Statements, known: Firing, occasion: Occasion): Promise<void> {
  if (!sameInputs(known.inputs, occasion.inputs)) throw new OtherInputs(occasion.key, 'other inputs')
  if (!occasion.key.startsWith('api:')) return
  if (!isDeepStrictEqual(known.payload, occasion.payload ?? null))
    throw new OtherInputs(occasion.key, 'another payload')
  if (known.run !== null && (await tx.callbacks.urlOf(known.id)) !== occasion.callback)
    throw new OtherInputs(occasion.key, 'another callback')
}

/** Nothing is started, and that is on record. */
async function leaveOut(tx: Statements, occasion: Occasion, reason: Reason): Promise<Fired> {
  const id = occasionId(occasion.routine.name, occasion.key)
  await tx.firings.insert({ ...firingOf(id, occasion), outcome: 'skipped', reason, run: null })
  const firing = await tx.firings.find(occasion.routine.name, occasion.key)
  return { firing: firing!, run: null, fresh: true }
}

function newFiring(id: string, occasion: Occasion, decision: OverlapDecision): NewFiring {
  const isJoined = decision.act === 'coalesce'
  return {
    ...firingOf(id, occasion),
    outcome: isJoined ? 'coalesced' : 'accepted',
    reason: isJoined ? reasons.coalesced : null,
    run: isJoined ? decision.into : id,
  }
}

function firingOf(id: string, occasion: Occasion): Omit<NewFiring, 'outcome' | 'reason' | 'run'> {
  return {
    id,
    routine: occasion.routine.name,
    triggerKey: occasion.key,
    trigger: occasion.trigger,
    inputs: occasion.inputs,
    at: occasion.slotAt ?? null,
    by: occasion.by,
    delivery: occasion.delivery ?? null,
    payload: occasion.payload ?? null,
  }
}

function newRun(id: string, occasion: Occasion): Parameters<Statements['runs']['insert']>[0] {
  const { routine } = occasion
  return {
    id,
    routine: routine.name,
    hash: routine.hash,
    file: routine.file,
    alone: occasion.alone ?? false,
    trigger: occasion.trigger,
    triggerKey: occasion.key,
    retryOf: occasion.retryOf ?? null,
    inputs: occasion.inputs,
    slotAt: occasion.slotAt ?? null,
    sender: occasion.sender ?? null,
    depth: occasion.depth ?? 0,
    repositoryOverride: occasion.repository ?? null,
    subject: occasion.subject ?? routine.topic,
    engine: routine.engine.name,
  }
}

async function supersede(tx: Statements, older: string, by: string): Promise<void> {
  const message = `${reasons.superseded}: run ${by}`
  const ended = await tx.runs.endUnheld(older, {
    state: 'skipped' satisfies Run['state'],
    reason: 'superseded',
    message,
  })
  if (ended) await tx.events.tell(older, 'state', { state: 'skipped', reason: 'superseded', message })
}

/** The same cause is the same id, for ever. */
export const occasionId = (routine: string, key: string): string => idOf(routine, key)
