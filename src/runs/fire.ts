import type { Reason } from '../errors.ts'
import type { NewFiring } from '../ledger/firings.ts'
import type { Statements } from '../ledger/ledger.ts'
import type { NewRun } from '../ledger/runs.ts'
import { concurrencyKeyOf, isAskedFor, occasionId, overlapFor, repositoryOf } from './occasion.ts'
import type { Fired, Occasion } from './occasion.ts'
import { decideOverlap, inLine, type OverlapDecision, type Work } from './overlap.ts'
import { isDebounced, isTooMany, paceOf, startAfterJoin, withinHours, type Before, type Pace } from './pace.ts'
import { giveWay } from './give-way.ts'
import { refuseOther } from './same-key.ts'

export type { Fired, Occasion } from './occasion.ts'

/** So many runs may stand between a run and a cause outside: routines that fire each other end there. */
const deepest = 3

/**
 * The only door into a run. Inside one transaction: the firing, and the run it starts (or joins, or replaces), or why there
 * is none. The same occasion again answers with the first firing and changes nothing.
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
  const refused = await refusal(tx, occasion)
  if (refused) return record(tx, occasion, { outcome: 'skipped', reason: refused, run: null })
  const key = concurrencyKeyOf(occasion)
  const decision = await decide(tx, occasion, key)
  if (decision.act === 'skip') return record(tx, occasion, { outcome: 'skipped', reason: 'overlap', run: null })
  if (decision.act === 'coalesce') {
    await join(tx, occasion, decision.into)
    return record(tx, occasion, { outcome: 'coalesced', reason: 'coalesced', run: decision.into })
  }
  const before = await beforeIt(tx, occasion, decision.supersede)
  if (isTooMany(occasion, before)) return record(tx, occasion, { outcome: 'skipped', reason: 'rate', run: null })
  const { name, hash, file, source, commit } = routine
  await tx.routines.ensureVersions([{ routine: name, hash, file, source, commit }])
  const pace = paceOf(occasion, await tx.now(), before)
  const run = { ...newRun(occasion, key, pace), causedAt: before.firstCause }
  await tx.runs.insert(run)
  const fired = await record(tx, occasion, { outcome: 'accepted', reason: null, run: run.id })
  await giveWay(tx, run.id, decision)
  return fired
}

/** Why nothing is started, whatever else stands; undefined = nothing is against it. */
async function refusal(tx: Statements, occasion: Occasion): Promise<Reason | undefined> {
  if (occasion.refused) return occasion.refused
  if ((occasion.depth ?? 0) > deepest) return 'depth'
  const pause = isAskedFor(occasion) ? undefined : await tx.pauses.of(occasion.routine.name)
  return pause && 'paused'
}

async function decide(tx: Statements, occasion: Occasion, key: string): Promise<OverlapDecision> {
  const { routine } = occasion
  const mode = overlapFor(occasion)
  const mayJoin = isDebounced(occasion)
  // A line that nobody joins and nobody leaves need not be looked at.
  if (mode === 'queue_all' && !mayJoin) return inLine
  const standing = {
    waiting: await tx.earlier.waiting(routine.name, key),
    begun: mode === 'queue_one' ? [] : await tx.earlier.begun(routine.name, key),
  }
  const mayReplace = occasion.trigger !== 'retry'
  return decideOverlap(standing, { ...workOf(occasion), mode, mayReplace, isDebounced: mayJoin })
}

function workOf({ routine, inputs, subject, repository }: Occasion): Work {
  const { hash, file, topic } = routine
  return { hash, file, inputs, subject: subject ?? topic, repositoryOverride: repository ?? null }
}

/** What its pace is measured by; most routines have none. What gives way to it holds up nothing, but has waited already. */
async function beforeIt(tx: Statements, { routine }: Occasion, supersede: string[]): Promise<Before> {
  const { name, pace } = routine
  return {
    firstCause: await tx.earlier.oldestCause(supersede),
    lastStart: pace && pace.cooldownMs > 0 ? await tx.earlier.lastStart(name, supersede) : undefined,
    begun: pace?.max ? await tx.earlier.begunWithin(name, pace.max.perMs, supersede) : 0,
  }
}

/** The run that waits takes the occasion along. */
async function join(tx: Statements, occasion: Occasion, into: string): Promise<void> {
  const { routine, depth = 0 } = occasion
  const debounce = isDebounced(occasion) ? routine.debounce : null
  const run = depth > 0 || debounce ? await tx.runs.lock(into) : undefined
  if (!run) return
  const notBefore = debounce ? withinHours(routine, startAfterJoin(run, debounce, await tx.now())) : run.notBefore
  await tx.runs.takeAlong(into, { notBefore, depth: Math.max(run.depth, depth) })
}

async function record(
  tx: Statements,
  occasion: Occasion,
  ending: Pick<NewFiring, 'outcome' | 'reason' | 'run'>,
): Promise<Fired> {
  const { routine, key, trigger, inputs, by } = occasion
  const firing = await tx.firings.insert({
    id: occasionId(routine.name, key),
    routine: routine.name,
    triggerKey: key,
    trigger,
    inputs,
    by,
    at: occasion.slotAt ?? null,
    delivery: occasion.delivery ?? null,
    payload: occasion.payload ?? null,
    ...ending,
  })
  const { id, run } = firing
  if (run !== null && occasion.callback !== undefined)
    await tx.callbacks.add({ run, firing: id, url: occasion.callback })
  return { firing, run, fresh: true }
}

function newRun(occasion: Occasion, concurrencyKey: string, pace: Pace): NewRun {
  const { routine } = occasion
  return {
    ...workOf(occasion),
    ...pace,
    id: occasionId(routine.name, occasion.key),
    routine: routine.name,
    concurrencyKey,
    parallel: routine.overlap.parallel,
    routineLimit: routine.limits.atOnce,
    repository: repositoryOf(occasion),
    alone: occasion.alone ?? occasion.trial ?? false,
    trial: occasion.trial ?? false,
    trigger: occasion.trigger,
    triggerKey: occasion.key,
    retryOf: occasion.retryOf ?? null,
    slotAt: occasion.slotAt ?? null,
    sender: occasion.sender ?? null,
    depth: occasion.depth ?? 0,
    engine: routine.engine.name,
  }
}
