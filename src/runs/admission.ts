import type { Holder } from '../ledger/owed.ts'
import type { Run } from '../ledger/schema.ts'
import { repositoryKey, type OuterLimits } from '../ledger/startable.ts'

/** `slots`: runs that may be at work at the same time, in all. */
export type Limits = OuterLimits & { slots: number }
export type Candidate = Pick<
  Run,
  'id' | 'routine' | 'concurrencyKey' | 'parallel' | 'routineLimit' | 'repository' | 'sender' | 'state' | 'leaseOwner'
>
/** What stands in the way of a run: so many others have their place within a limit. */
export type Obstacle = { of: 'key' | 'routine' | 'repository' | 'sender'; others: string[] }

/** Which of the owed runs, in their order, may go to the queue now, so that no limit is passed and none left unused. */
export function admit(owed: readonly Candidate[], holders: readonly Holder[], limits: Limits): string[] {
  const held = [...holders]
  const admitted: string[] = []
  let free = limits.slots - holders.filter((run) => run.atWork).length
  for (const run of owed) {
    if (free <= 0) break
    const has = hasItsPlace(run)
    if (!has && obstacleOf(run, held, limits)) continue
    if (!has) held.push({ ...run, atWork: true })
    admitted.push(run.id)
    free -= 1
  }
  return admitted
}

/** The first limit that a run has to wait for; undefined = it only needs a slot. */
export function obstacleOf(run: Candidate, held: readonly Holder[], limits: OuterLimits): Obstacle | undefined {
  const ofRoutine = held.filter((other) => other.routine === run.routine)
  const ofKey = ofRoutine.filter((other) => other.concurrencyKey === run.concurrencyKey)
  const repository = repositoryKey(run.repository)
  const sameRepository = held.filter((other) => repository !== null && repositoryKey(other.repository) === repository)
  const sameSender = held.filter((other) => run.sender !== null && other.sender === run.sender)
  const full = [
    { of: 'key', others: ofKey, limit: run.parallel },
    { of: 'routine', others: ofRoutine, limit: run.routineLimit },
    { of: 'repository', others: sameRepository, limit: limits.repository },
    { of: 'sender', others: sameSender, limit: limits.sender },
  ] as const
  const first = full.find(({ others, limit }) => limit !== null && others.length >= limit)
  return first && { of: first.of, others: first.others.map((other) => other.id) }
}

/** Its worker was lost, so it has its place; or its agent is through, as with a publication that a person approved. */
function hasItsPlace({ state, leaseOwner }: Candidate): boolean {
  return leaseOwner !== null || state === 'collecting' || state === 'publishing'
}
