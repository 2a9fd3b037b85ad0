import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { createInspection } from '../checkout/inspection.ts'
import { addressesOf } from '../checkout/serve-mirror.ts'
import { createEngines } from '../engines/index.ts'
import { messageOf } from '../errors.ts'
import { propose } from '../publish/propose.ts'
import { publish } from '../publish/publish.ts'
import { openQueue } from '../queue/bullmq.ts'
import { createInHandQueue } from '../queue/in-hand.ts'
import type { Queue } from '../queue/queue.ts'
import { createDial } from '../outgoing/dial.ts'
import { createGuardedRequest } from '../outgoing/guarded-request.ts'
import { openRelay } from '../relay/relay.ts'
import { readBackground } from '../runs/background.ts'
import { createAutoPause } from '../runs/auto-pause.ts'
import { keepPrompt } from '../runs/kept-prompt.ts'
import { killLeftovers } from '../runs/leftovers.ts'
import type { PerformTools } from '../runs/task.ts'
import { openTranscript } from '../runs/transcript.ts'
import { createWorker } from '../runs/worker.ts'
import { createSandboxOpener } from '../sandboxes/opener.ts'
import { payloadOf } from '../triggers/payload.ts'
import { createConnectorsFor, type ConnectorsInForce } from './connectors.ts'
import type { Ground } from './ground.ts'

/** A worker that was silent for so long is dead; its slots do not count. */
export const aliveMs = 15_000
/** A cron expression of node-cron; three beats may be lost. */
const beatEvery = '*/4 * * * * *'

export type Hands = {
  queue: Queue
  /** Ids of the runs this process has in its hands now. */
  atWork(): readonly string[]
  ticks: { every: string; name: string; act(): Promise<unknown> }[]
}
export type HandsOptions = {
  /** `none`: hands runs to others. `own`: works on what this process itself hands out, and is no worker to others. */
  take: 'all' | 'own' | 'none'
  /** How long runs may go on once this process is told to stop. */
  drainMs: number
  /** Ends that time when it fires. */
  hurry?: AbortSignal | undefined
  reached: PerformTools['reached']
  connectors: ConnectorsInForce
  /** There may be something to hand out. */
  wake(): void
}

/** What takes runs in this process: the worker, its queue, and its row among the live workers. `building` closes it. */
export async function openHands(ground: Ground, building: AsyncDisposableStack, options: HandsOptions): Promise<Hands> {
  const { config, ledger, log } = ground
  const { take, drainMs, hurry, wake } = options
  const heard = { backend: backendOf(ground), log, concurrency: config.concurrency, onFailed: wake, onBack: wake }
  if (take === 'none') {
    const queue = await openQueue(heard)
    building.defer(() => queue.close({ graceMs: 0 }))
    return { queue, atWork: () => [], ticks: [] }
  }
  const me = {
    id: `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`,
    host: hostname(),
    pid: process.pid,
    slots: config.concurrency,
  }
  const worker = openWorker(ground, { ...options, me: me.id })
  const work: typeof worker.work = (job, signal) => worker.work(job, signal).finally(wake)
  if (take === 'own') {
    const queue = createInHandQueue({ work })
    building.defer(() => queue.close({ graceMs: drainMs }))
    return { queue, atWork: worker.atWork, ticks: [] }
  }
  const say = (act: Promise<void>) =>
    act.catch((error: unknown) =>
      log.warn({ error: messageOf(error) }, 'the ledger could not be told that a worker goes'),
    )
  building.defer(() => say(ledger.workers.remove(me.id)))
  const queue = await openQueue({ ...heard, work })
  building.defer(() => queue.close({ graceMs: hurry?.aborted ? 0 : drainMs }))
  hurry?.addEventListener('abort', () => worker.atWork().forEach((run) => queue.cancel(run)))
  building.defer(() => say(ledger.workers.stopping(me.id)))
  await ledger.workers.announce(me)
  return {
    queue,
    atWork: worker.atWork,
    ticks: [
      { every: beatEvery, name: 'worker', act: () => ledger.workers.beat(me) },
      // One that is changed while a run is at work is kept out of what comes after.
      { every: '*/2 * * * * *', name: 'secrets', act: async () => worker.atWork().length > 0 && ground.learnSecrets() },
      {
        every: '43 * * * *',
        name: 'sweep',
        act: () => Promise.all([ground.sweep(), ledger.workers.prune(86_400_000)]),
      },
    ],
  }
}

const backendOf = ({ config, store }: Ground) =>
  config.redisUrl === undefined
    ? { kind: 'postgres' as const, pool: store.pool }
    : { kind: 'redis' as const, url: config.redisUrl }

type Working = Pick<HandsOptions, 'reached' | 'connectors'> & { me: string }

function openWorker(ground: Ground, { me, reached, connectors }: Working) {
  const { config, ledger, checkouts, drivers, forges, log } = ground
  const inspect = createInspection(ground.redaction)
  const engines = createEngines({ path: config.operator.path })
  const dial = createDial({ allowedHosts: config.allowedHosts })
  const request = createGuardedRequest({ allowedHosts: config.allowedHosts })
  return createWorker({
    ledger,
    checkouts,
    inspect: async (quarantine, rules, signal) => {
      await ground.learnSecrets()
      return inspect(quarantine, rules, signal)
    },
    propose,
    setups: ground.setups,
    publish,
    forgeOf: (repository) => forges.of(repository),
    engineOf: (name) => engines.get(name),
    openSandbox: createSandboxOpener(drivers, log),
    connectorsFor: createConnectorsFor(ground, connectors),
    openRelay: ({ onUsage, repository: { gitDir, url }, connectors: ways, ...way }) =>
      openRelay({
        ...way,
        dial,
        connectors: { ways, request, redact: ground.redaction.text },
        repository: {
          urls: addressesOf(url),
          serve: (fetch) => checkouts.serveMirror(gitDir, fetch),
        },
        model: onUsage && { onUsage, upstream: config.model },
      }),
    openTranscript: async (run, fence) => {
      await ground.learnSecrets()
      return openTranscript(
        ground.transcriptFolder(run, fence),
        config.transcriptBytes,
        () => void ledger.announce(run).catch(() => {}),
      )
    },
    keepPrompt: async (run, fence, { prompt, nonce }) => {
      await ground.learnSecrets()
      await keepPrompt(ground.transcriptFolder(run, fence), { prompt: ground.redaction.text(prompt), nonce })
    },
    redaction: ground.redaction,
    backgroundOf: (run) => readBackground({ ledger, payloadOf: (delivery) => payloadOf(delivery) ?? {} }, run),
    patchOf: (run) => ledger.publications.patchOf(run),
    newerThan: (run) => ledger.publications.newerThan(run),
    lastPushed: async (repository, branch) => (await ledger.publications.lastPushed(repository, branch))?.commit,
    killLeftovers: (run) => killLeftovers({ drivers: Object.values(drivers), log }, (other) => other === run),
    mirrorsDir: config.paths.mirrors,
    workDir: config.paths.work,
    reached,
    routineOf: ground.routineOf,
    atTheEnd: createAutoPause({ routineOf: ground.routineOf, alertUrls: config.alerts.urls, log }),
    worker: me,
    leaseMs: config.leaseMs,
    log,
  })
}
