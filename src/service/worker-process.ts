import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { PerformTools } from '../runs/task.ts'
import type { Redaction } from '../secrets/redaction.ts'
import { startTicking } from '../ticker.ts'
import { connectorsOfService } from './connectors.ts'
import { openDispatch } from './dispatch.ts'
import { openGround } from './ground.ts'
import { openMessages } from './messages.ts'
import { openWatch } from './watch.ts'

/** Long enough for most runs to end where they began: started again elsewhere, an agent costs twice. */
const drainMs = 60_000

export type WorkerProcess = AsyncDisposable & {
  /** Rejects with what to do when it cannot go on; never resolves. */
  broken: Promise<never>
}

type WorkerOptions = {
  log: Log
  redaction?: Redaction
  /** Fires when runs shall not go on for that while. */
  hurry?: AbortSignal
  /** Called at each named step of a run; fault tests end the process there. */
  reached?: PerformTools['reached']
}

/** A process that takes runs and nothing else. Disposing lets them go on for a while, then hands them back. */
export async function openWorkerProcess(config: Config, options: WorkerOptions): Promise<WorkerProcess> {
  await using building = new AsyncDisposableStack()
  const { log, hurry, reached = () => {} } = options
  const ground = await openGround(config, { ...options, building })
  await ground.heal()
  const { dispatcher, hands } = await openDispatch(ground, building, {
    take: 'all',
    drainMs: config.drainMs ?? drainMs,
    hurry,
    reached,
    connectors: connectorsOfService(ground),
  })
  const stopWatching = await ground.ledger.watch((run, kind) => {
    if (kind === 'cancel' && run !== undefined) hands.queue.cancel(run)
  })
  building.defer(stopWatching)
  const reconciler = { every: '*/5 * * * * *', name: 'reconciler', act: () => dispatcher.wake() }
  building.use(
    startTicking(log, [
      reconciler,
      openWatch(ground).tick,
      ...hands.ticks,
      ...openMessages(ground, building, 'worker'),
    ]),
  )
  void dispatcher.wake()
  const stack = building.move()
  return { broken: ground.store.stopped, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
