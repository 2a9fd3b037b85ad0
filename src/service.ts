import { hostname } from 'node:os'
import { join } from 'node:path'
import { gate } from './checkout/gate.ts'
import { createCheckouts } from './checkout/index.ts'
import type { Config } from './config.ts'
import { engines } from './engines/index.ts'
import { openForges } from './forges/index.ts'
import { removeAddress, writeAddress } from './http/address.ts'
import { createSignIn } from './http/auth.ts'
import { listen } from './http/listen.ts'
import { createNews } from './http/news.ts'
import type { Face } from './http/face.ts'
import { createApp, type App } from './http/server.ts'
import { ensureToken } from './http/token.ts'
import { createLedger } from './ledger/ledger.ts'
import { lockDataFolder } from './ledger/lock.ts'
import { migrate } from './ledger/migrate.ts'
import type { RoutineVersion } from './ledger/schema.ts'
import { openStore } from './ledger/store.ts'
import type { Log } from './log.ts'
import { publish } from './publish/publish.ts'
import { openQueue } from './queue/bullmq.ts'
import { openLibrary } from './routines/library.ts'
import { parseOrRefuse } from './routines/read.ts'
import type { Routine } from './routines/routine.ts'
import { createActs } from './runs/acts.ts'
import { createDispatcher } from './runs/dispatch.ts'
import { healAfterKill } from './runs/leftovers.ts'
import type { PerformTools } from './runs/task.ts'
import { openTranscript, readTranscript } from './runs/transcript.ts'
import { createWorker } from './runs/worker.ts'
import type { Probes } from './sandboxes/choose.ts'
import { createSandboxDrivers, probeSandboxes } from './sandboxes/index.ts'
import { createSandboxOpener } from './sandboxes/opener.ts'
import { startTicking } from './ticker.ts'
import { applyRoutines } from './triggers/apply-routines.ts'
import { checkSchedule } from './triggers/schedule/check-schedule.ts'
import { readAssets } from './ui/assets.ts'
import { tickUntilDone } from './triggers/schedule/scheduler.ts'

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
  /** For one command: no timers, no watching, and only runs given to `workOn` are worked on. */
  foreground?: boolean
  /** Called at each named step of a run; fault tests end the process there. */
  reached?: PerformTools['reached']
}

/** Builds everything bottom-up; disposing closes in reverse. Throws SetupError with what to do. */
export async function openService(config: Config, options: ServiceOptions): Promise<Service> {
  await using building = new AsyncDisposableStack()
  const { log, foreground = false } = options
  const { paths } = config
  building.use(lockDataFolder(paths.lock))
  const token = await ensureToken(paths.token)
  const store = await openStore({ ledger: paths.ledger })
  building.defer(() => store.close())
  await migrate(store)
  const ledger = createLedger(store)
  const news = createNews()
  building.defer(await ledger.watch((run, kind) => kind !== 'cancel' && news.tell(run, kind)))

  const forges = openForges({
    local: { operator: config.operator, pulls: ledger.pulls },
    github: { ...config.github, credentialsDir: paths.credentials },
  })
  const checkouts = createCheckouts({
    openRemote: (repository, signal) => forges.of(repository.name).openRemote(repository, signal),
  })
  // A routine in the project's root, or in the home folder, must not show the agent what else is there.
  const drivers = createSandboxDrivers({ hidden: [paths.data, config.operator.home] })
  await healAfterKill({
    ledger,
    drivers: Object.values(drivers),
    workDir: paths.work,
    removeFolder: checkouts.removeFolder,
    log,
  })

  const read = { defaultEngine: config.engine, checkSchedule }
  const routineOf = (version: Pick<RoutineVersion, 'file' | 'source'> & { commit?: string | null }): Routine =>
    parseOrRefuse(version.file, version.source, read)
  const library = await openLibrary({
    dir: config.routinesDir,
    read,
    // `overnight check` is the command that speaks of the folder; others would only repeat it.
    log: foreground ? log.child({}, { level: 'error' }) : log,
    watch: !foreground,
    operator: config.operator,
    lastGood: async (name) => {
      const version = await ledger.routines.versionInForce(name)
      return version && routineOf(version)
    },
    // A command looks at the folder; only the service puts it in force.
    ...(foreground ? {} : { onChange: (folder) => applyRoutines(ledger, folder) }),
  })
  building.use(library)

  const worker = createWorker({
    ledger,
    checkouts,
    gate,
    publish,
    forgeOf: (repository) => forges.of(repository),
    engineOf: (name) => engines.get(name),
    openSandbox: createSandboxOpener(drivers, log),
    openTranscript: (run, fence) =>
      openTranscript(
        join(paths.transcripts, run, String(fence)),
        config.transcriptBytes,
        () => void ledger.announce(run).catch(() => {}),
      ),
    patchOf: (run) => ledger.publications.patchOf(run),
    lastPushed: async (repository, branch) => (await ledger.publications.lastPushed(repository, branch))?.commit,
    mirrorsDir: paths.mirrors,
    workDir: paths.work,
    reached: options.reached ?? (() => {}),
    routineOf,
    worker: `${hostname()}:${process.pid}`,
    leaseMs: config.leaseMs,
    log,
  })
  const mine = new Set<string>()
  const queue = await openQueue({
    backend: { kind: 'postgres', pool: store.pool },
    log,
    concurrency: config.concurrency,
    work: (job, signal) => worker.work(job, signal).finally(() => void dispatcher.wake()),
    onFailed: () => void dispatcher.wake(),
  })
  building.defer(() => queue.close({ graceMs: 1000 }))
  const dispatcher = createDispatcher({
    ledger,
    enqueue: (run, attempt) => queue.enqueue(run, attempt),
    concurrency: config.concurrency,
    unclaimedMs: config.leaseMs,
    ...(foreground ? { only: () => [...mine] } : {}),
    atWork: worker.atWork,
    log,
  })
  // Before the queue closes: a run that is given back then is handed out by the next start.
  building.defer(() => dispatcher.stop())
  const acts = createActs({ ledger, stopLocal: (run) => queue.cancel(run), wake: () => dispatcher.wake(), routineOf })
  const signIn = createSignIn(token, { secure: config.publicUrl?.startsWith('https:') ?? false })
  const state = { stopping: false, hosts: new Set(['127.0.0.1:0']) as ReadonlySet<string> }
  const face: Face = {
    ledger,
    acts,
    library,
    pulls: forges.local,
    news,
    signIn,
    readOnce: (file, text) => parseOrRefuse(file, text, read),
    transcriptOf: (run, cursor) => readTranscript(join(paths.transcripts, run, String(cursor.fence)), cursor),
    health: () => ({ state: state.stopping ? 'stopping' : store.health() }),
    allowedHosts: () => state.hosts,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    log,
  }
  const app = createApp(face, await readAssets())
  if (!foreground) {
    building.use(
      startTicking(log, [
        {
          every: '* * * * * *',
          name: 'scheduler',
          act: async () => {
            if ((await tickUntilDone({ ledger, routineOf })) > 0) void dispatcher.wake()
          },
        },
        { every: '*/5 * * * * *', name: 'reconciler', act: () => dispatcher.wake() },
        { every: '*/2 * * * * *', name: 'library', act: () => library.rescan() },
        { every: '17 * * * *', name: 'vacuum', act: () => store.vacuum() },
      ]),
    )
    void dispatcher.wake()
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
    emptyQueue: () => queue.empty(),
    async listen() {
      const listening = await listen(app, config)
      stack.defer(() => listening.close())
      state.hosts = listening.hosts
      await writeAddress(paths.address, { url: listening.url, pid: process.pid })
      stack.defer(() => removeAddress(paths.address))
      return { url: listening.url }
    },
    [Symbol.asyncDispose]: async () => {
      state.stopping = true
      await stack.disposeAsync()
    },
  }
}

/** Why a sandbox does not work on this machine, by name; undefined = it works. Each one is really started. */
export const probe = (): Promise<Probes> => probeSandboxes(createSandboxDrivers())
