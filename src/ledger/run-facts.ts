import type { Run } from './schema.ts'

/** A run as it is told to people, programs and callbacks: absent is null. */
export function runFacts(run: Run, now: Date) {
  const end = run.endedAt ?? now
  return {
    run: run.id,
    state: run.state,
    reason: run.reason,
    branch: run.branch,
    base: run.base,
    commit: run.commit,
    pullRequest: run.pullNumber === null ? null : { number: run.pullNumber, url: run.pullUrl ?? '' },
    files: run.files,
    costUsd: run.costUsd,
    seconds: run.startedAt === null ? null : Math.round((end.getTime() - run.startedAt.getTime()) / 100) / 10,
  }
}

export function runRowFacts(run: Run, now: Date) {
  return {
    ...runFacts(run, now),
    routine: run.routine,
    title: run.title,
    message: run.message,
    trigger: run.trigger,
    trial: run.trial,
    createdAt: run.createdAt.toISOString(),
    endedAt: run.endedAt?.toISOString() ?? null,
  }
}
