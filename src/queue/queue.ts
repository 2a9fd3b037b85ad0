/** What the queue carries, and nothing else: the ledger knows the rest. */
export type Job = { runId: string; attempt: number }

/**
 * Why the signal of a job fired; it is the signal's `reason`. That the queue has forgotten a job at work is none: the
 * ledger's lease alone decides who owns a run, and an agent that was paid for is not stopped because a server restarted.
 */
export type StopReason = 'cancelled' | 'stopping'

/**
 * Called once for each delivery. What it returns or throws changes nothing in the queue's eyes: whether the run has
 * ended is the ledger's to say. It must end soon after the signal fires.
 */
export type Work = (job: Job, signal: AbortSignal) => Promise<void>

/**
 * Delivery, not truth: everything in here may be lost at any time, and the reconciler hands it out again. It may be
 * unreachable from the start and for any time later; work goes on meanwhile. Once closed, `enqueue` and `empty` reject.
 */
export type Queue = {
  /**
   * The same run and attempt twice is one delivery, for as long as the queue remembers it (a day). Rejects within
   * seconds with QueueUnavailable when it cannot say that it has the job; it may have it all the same.
   */
  enqueue(runId: string, attempt: number): Promise<void>
  /** Fires the signal of a run that is at work here; false when it is not. */
  cancel(runId: string): boolean
  /** Takes no new job from now on; those at work go on. */
  pause(): Promise<void>
  /** Forgets everything, as a wiped server would. Jobs at work go on and are not remembered. */
  empty(): Promise<void>
  /** `degraded` while the server cannot be reached or refuses what it is asked. */
  health(): 'ok' | 'degraded'
  /** Takes no new job, gives those at work `graceMs`, then fires their signals, waits `stopMs` (10 s) at most and lets go. */
  close(options: Closing): Promise<void>
}
export type Closing = { graceMs: number; stopMs?: number }

/** Work whose signal has fired ends its processes and writes down what it has; that takes some seconds. */
export const usualStopMs = 10_000
