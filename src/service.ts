import type { Config } from './config.ts'
import { removeAddress, writeAddress } from './http/address.ts'
import { createSignIn } from './http/access/auth.ts'
import type { Face } from './http/face.ts'
import { listen } from './http/listen.ts'
import { createNews } from './http/news.ts'
import { createApp, type App } from './http/server.ts'
import { ensureToken } from './http/access/token.ts'
import type { Log } from './log.ts'
import { readTexts } from './routines/library/library.ts'
import { createActs } from './runs/acts.ts'
import type { Redaction } from './secrets/redaction.ts'
import type { Step } from './runs/task.ts'
import { explainWaits } from './runs/waits.ts'
import { openConnectorFiles } from './service/connectors.ts'
import { openDispatch } from './service/dispatch.ts'
import { openGround } from './service/ground.ts'
import { openRoutines, openRoutinesOnce } from './service/routines.ts'
import { aliveMs } from './service/hands.ts'
import { openOutside } from './service/outside.ts'
import { openWatch } from './service/watch.ts'
import { callbackTo, openMessages, signingSecrets } from './service/messages.ts'
import { startTicking } from './ticker.ts'
import type { DeliveryStep } from './triggers/delivery-steps.ts'
import { createScheduler } from './triggers/schedule/scheduler.ts'
import { readAssets } from './ui/assets.ts'

export type Service = AsyncDisposable & {
  app: App
  token: string
  /** Binds the address of the configuration. Throws SetupError when the port is taken. */
  listen(): Promise<{ url: string }>
  /** A path that signs one browser in. */
  signInLink(): string
  /** Resolves at the next change of any run's state, at the latest after some seconds. */
  settled(signal: AbortSignal): Promise<void>
  /** In the foreground: hands this run to the workers of this process, and no other. */
  workOn(run: string): void
  /** Rejects with what to do when the service cannot go on; never resolves. */
  broken: Promise<never>
  /** Does what a wiped queue server would do, for fault tests: the ledger owes everything still, and hands it out again. */
  emptyQueue(): Promise<void>
}

export type ServiceOptions = {
  log: Log
  /** What the log leaves out; without it a new one that only the service itself uses. */
  redaction?: Redaction
  /**
   * `all` (default): everything in one process. `server`: pages, API and schedules; runs are left to workers.
   * `foreground`, for one command: no timers, no watching, and only runs given to `workOn` are worked on.
   */
  role?: 'all' | 'server' | 'foreground'
  /** Called at each named step of a run, an event or a look at the routines; fault tests end the process there. */
  reached?: (step: Step | DeliveryStep | 'routines_read') => void
}

/** A person who stops the service waits for it; a run goes on at the next start. */
const quickDrainMs = 1000

/** Builds everything bottom-up; disposing closes in reverse. Throws SetupError with what to do. */
export async function openService(config: Config, options: ServiceOptions): Promise<Service> {
  await using building = new AsyncDisposableStack()
  const { log, role = 'all', reached = () => {} } = options
  const foreground = role === 'foreground'
  const ground = await openGround(config, { ...options, building })
  const { ledger, store } = ground
  const token = await ensureToken(config.paths.token)
  ground.redaction.learn({ name: 'OVERNIGHT_TOKEN', value: token })
  if (!foreground || ground.isAlone) await ground.heal()
  const news = createNews()
  const library = await (foreground ? openRoutinesOnce(ground, building) : openRoutines(ground, building, reached))

  const connectors = await openConnectorFiles(ground, building, !foreground)
  const take = ({ all: 'all', server: 'none', foreground: 'own' } as const)[role]
  const mine = new Set<string>()
  const { dispatcher, hands } = await openDispatch(ground, building, {
    take,
    drainMs: config.drainMs ?? quickDrainMs,
    reached,
    connectors: connectors.inForce,
    ...(foreground ? { only: () => [...mine] } : {}),
  })
  const outside = await openOutside(ground, building, {
    wake: () => void dispatcher.wake(),
    library,
    connectors: connectors.files,
    isService: !foreground,
    reached,
  })
  building.defer(
    await ledger.watch((run, kind) => {
      if (kind !== 'cancel') news.tell(run, kind)
      else if (run !== undefined) hands.queue.cancel(run)
      // A run that ended elsewhere has made room.
      if (take === 'none' && kind === 'state') void dispatcher.wake()
      if (take !== 'own' && kind === 'state') outside.follow()
    }),
  )
  const signIn = createSignIn(token, { secure: config.publicUrl?.startsWith('https:') ?? false })
  const watch = openWatch(ground)
  const state = { stopping: false, hosts: new Set(['127.0.0.1:0']) as ReadonlySet<string> }
  const face: Face = {
    ledger,
    acts: createActs({
      ledger,
      stopLocal: (run) => hands.queue.cancel(run),
      wake: () => dispatcher.wake(),
      routineOf: ground.routineOf,
    }),
    library,
    pulls: ground.forges.local,
    news,
    signIn,
    readOnce: ground.readOnce,
    readFiles: (files) => readTexts(files, ground.read),
    transcriptOf: ground.transcriptOf,
    promptOf: ground.promptOf,
    explainWaits: (runs, maySee) =>
      explainWaits(
        {
          ledger,
          unclaimedMs: config.leaseMs,
          limits: async () => ({ ...config.limits, slots: await ledger.workers.totalSlots(aliveMs) }),
        },
        runs,
        maySee,
      ),
    workers: () => ledger.workers.live(aliveMs),
    health: () => {
      const faults = watch.faults()
      const degraded = faults.length > 0 ? 'degraded' : store.health()
      return { state: state.stopping ? 'stopping' : degraded, faults }
    },
    receiver: outside.receiver,
    settle: outside.settle,
    gitHubSecrets: config.gitHubSecrets,
    sealSecret: ground.sealSecret,
    signingSecrets: () => signingSecrets(config),
    callbackTo: (written) => callbackTo(config, written),
    publicUrl: config.publicUrl,
    webhooks: outside.webhooks.desk,
    connectors: connectors.files,
    allowedHosts: () => state.hosts,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    log,
  }
  const app = createApp(face, await readAssets())
  if (!foreground) {
    const wake = () => void dispatcher.wake()
    const scheduler = building.use(createScheduler({ ledger, routineOf: ground.routineOf, wake, log }))
    building.use(
      startTicking(log, [
        { every: '* * * * * *', name: 'scheduler', act: () => scheduler.tick() },
        { every: '*/5 * * * * *', name: 'slots', act: () => scheduler.settle() },
        { every: '*/5 * * * * *', name: 'reconciler', act: () => dispatcher.wake() },
        { every: '*/2 * * * * *', name: 'library', act: () => library.look() },
        { every: '17 * * * *', name: 'vacuum', act: () => store.vacuum() },
        watch.tick,
        ...hands.ticks,
        ...connectors.ticks,
        ...outside.ticks,
        ...openMessages(ground, building, 'server'),
      ]),
    )
    void dispatcher.wake()
  } else {
    // What it works on may have to be tried again.
    building.use(startTicking(log, [{ every: '* * * * * *', name: 'reconciler', act: () => dispatcher.wake() }]))
  }
  const stack = building.move()
  return {
    app,
    token,
    signInLink: () => signIn.createLink(),
    async settled(signal) {
      while ((await news.next(undefined, { timeoutMs: 5000, signal })) === 'output');
    },
    workOn(run) {
      mine.add(run)
      void dispatcher.wake()
    },
    broken: store.stopped,
    emptyQueue: () => hands.queue.empty(),
    async listen() {
      const listening = await listen(app, config)
      stack.defer(() => listening.close())
      state.hosts = listening.hosts
      const address = { url: listening.url, pid: process.pid }
      await writeAddress(config.paths.address, address)
      stack.defer(() => removeAddress(config.paths.address, address))
      outside.lookBack()
      return { url: listening.url }
    },
    [Symbol.asyncDispose]: async () => {
      state.stopping = true
      await stack.disposeAsync()
    },
  }
}
