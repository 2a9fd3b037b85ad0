import { steps, type Step } from '../../src/runs/task.ts'

/** What is done to a fleet while runs are at work. Times in milliseconds after the runs were accepted. */
export type RunFault =
  | { kind: 'kill_at'; step: Step }
  | { kind: 'kill_any'; afterMs: number }
  | { kind: 'zombie'; step: Step }
  | { kind: 'redis_kill'; afterMs: number; downMs: number }
  | { kind: 'redis_flush'; afterMs: number }
  | { kind: 'postgres_restart'; afterMs: number; downMs: number; how: 'fast' | 'immediate' }

/** What is done to two servers and a worker while events, calls and slots come in. */
export type OccasionFault =
  /** One event, one call with its key and one slot reach both servers at the same time. */
  | { kind: 'same_at_once'; copies: number; dueInMs: number }
  /** What GitHub has missed is asked for, decided and published, and so many requests of each kind go wrong. */
  | { kind: 'forge_sick'; how: Sickness; times: number }
  /** One of two schedulers stands still from so long before the slot, or after it; or both do. */
  | { kind: 'scheduler_stopped'; which: 'one' | 'all'; beforeMs: number }
  /** PostgreSQL crashes when so many events are acknowledged, which is before anything came of the last of them. */
  | { kind: 'postgres_between'; after: number; downMs: number }
export const sicknesses = ['error', 'away', 'denied', 'limited', 'silent', 'lost'] as const
export type Sickness = (typeof sicknesses)[number]

export type Fault = RunFault | OccasionFault
export type FaultKind = Fault['kind']

export function isOfOccasions(fault: Fault): fault is OccasionFault {
  return ['same_at_once', 'forge_sick', 'scheduler_stopped', 'postgres_between'].includes(fault.kind)
}

export const isOfRuns = (fault: Fault): fault is RunFault => !isOfOccasions(fault)

/** How many of each the published figure has. */
export const published: Record<FaultKind, number> = {
  kill_at: 50,
  kill_any: 50,
  zombie: 20,
  redis_kill: 10,
  redis_flush: 10,
  postgres_restart: 10,
  same_at_once: 20,
  forge_sick: 12,
  scheduler_stopped: 10,
  postgres_between: 10,
}

/** About what an accepted run of these routines takes on an idle machine, so that every moment of it is met. */
const runMs = 2500
/** Longer than a lease of two seconds, and shorter. */
const downMs = [500, 1000, 3000, 6000]

/** The faults of a seed, always the same, one kind after the other. */
export function forecast(seed: number, counts: Record<FaultKind, number>): Fault[] {
  const next = random(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  const makers: Record<FaultKind, (index: number) => Fault> = {
    kill_at: (index) => ({ kind: 'kill_at', step: steps[index % steps.length]! }),
    kill_any: () => ({ kind: 'kill_any', afterMs: below(runMs) }),
    zombie: (index) => ({ kind: 'zombie', step: steps[index % steps.length]! }),
    redis_kill: () => ({ kind: 'redis_kill', afterMs: below(runMs), downMs: downMs[below(downMs.length)]! }),
    redis_flush: () => ({ kind: 'redis_flush', afterMs: below(runMs) }),
    postgres_restart: (index) => ({
      kind: 'postgres_restart',
      afterMs: below(runMs),
      downMs: downMs[below(downMs.length)]!,
      how: index % 2 === 0 ? 'immediate' : 'fast',
    }),
    same_at_once: () => ({ kind: 'same_at_once', copies: 2 + below(30), dueInMs: below(2000) }),
    forge_sick: (index) => ({
      kind: 'forge_sick',
      how: sicknesses[index % sicknesses.length]!,
      times: 1 + below(2),
    }),
    scheduler_stopped: (index) => ({
      kind: 'scheduler_stopped',
      which: index % 5 === 4 ? 'all' : 'one',
      beforeMs: below(1200) - 200,
    }),
    postgres_between: () => ({
      kind: 'postgres_between',
      after: 1 + below(30),
      downMs: downMs[below(downMs.length)]!,
    }),
  }
  return Object.entries(counts).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => makers[kind as FaultKind](index)),
  )
}

/** Mulberry32: numbers in [0, 1) that are the same for a seed on every machine. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
