import { join } from 'node:path'
import { mkdir } from 'node:fs/promises'
import { createCheckouts } from '../checkout/index.ts'
import { createSetups } from '../checkout/setup/index.ts'
import { sweepMirrors } from '../checkout/mirror-leftovers.ts'
import type { Config } from '../config.ts'
import { sweepCredentials } from '../forges/github/credentials.ts'
import { createGitHubDesk } from '../forges/github/desk.ts'
import { createGitHubNotices } from '../forges/github/notices.ts'
import { openForges } from '../forges/index.ts'
import { createLedger } from '../ledger/ledger.ts'
import { lockDataFolder } from '../ledger/lock.ts'
import { migrate } from '../ledger/migrate.ts'
import type { RoutineVersion } from '../ledger/schema.ts'
import { openStore } from '../ledger/store.ts'
import type { Log } from '../log.ts'
import { parseOrRefuse } from '../routines/reading/read.ts'
import { openReadings } from '../routines/library/readings.ts'
import type { Routine } from '../routines/routine.ts'
import { healAfterKill, sweepEnded } from '../runs/leftovers.ts'
import { readPrompt } from '../runs/kept-prompt.ts'
import { readTranscript, type TranscriptCursor } from '../runs/transcript.ts'
import { createSandboxDrivers } from '../sandboxes/index.ts'
import { createRedaction, type Redaction } from '../secrets/redaction.ts'
import { checkSchedule } from '../triggers/schedule/check-schedule.ts'
import { createSeal } from '../secrets/seal.ts'
import { createSecretStore } from '../secrets/store.ts'
import { ensureToken } from '../http/access/token.ts'
import { learnSecrets } from './known-secrets.ts'
import { sandboxSettings } from './sandboxes.ts'
import { openSecrets } from './secrets.ts'

type GroundOptions = { log: Log; redaction?: Redaction; building: AsyncDisposableStack }
export type Ground = Awaited<ReturnType<typeof openGround>>

/**
 * What every kind of process stands on: the ledger, the forges, copies of repositories, sandboxes. `building` closes it.
 * With the embedded store this process is the only one of its data folder; on PostgreSQL it is one of many.
 */
export async function openGround(config: Config, options: GroundOptions) {
  const { log, building, redaction = createRedaction() } = options
  await learnSecrets(config, redaction)
  const { paths, operator, databaseUrl } = config
  const isAlone = databaseUrl === undefined
  if (isAlone) building.use(lockDataFolder(paths.lock))
  else await mkdir(paths.data, { recursive: true, mode: 0o700 })
  // Routine files of a repository are on no disk; what needs their folder gets this one, which is empty.
  if (config.routinesIn !== undefined) await mkdir(config.routinesDir, { recursive: true, mode: 0o700 })
  const store = await openStore(isAlone ? { ledger: paths.ledger } : { databaseUrl, log })
  building.defer(() => store.close())
  await migrate(store)
  const ledger = createLedger(store)
  const secretStore = createSecretStore({
    sealed: ledger.sealed,
    seal: async () => createSeal(config.secretsKey ?? (await ensureToken(paths.secretsKey))),
  })

  const forges = openForges({
    local: { operator, pulls: ledger.pulls },
    github: { ...config.github, credentialsDir: paths.credentials },
  })
  const { url, auth } = config.github
  const desk = createGitHubDesk({ url, auth })
  const checkouts = createCheckouts({
    openRemote: (repository, signal) => forges.of(repository.name).openRemote(repository, signal),
  })
  const setups = createSetups({ folder: paths.setups, maxBytes: config.setupCacheBytes })
  const drivers = createSandboxDrivers(sandboxSettings(config))
  // Asking for the machine's zone takes 50 µs, which is not for every file.
  const { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions()
  const read = { defaultEngine: config.engine, checkSchedule, timezone }
  const readings = await openReadings({ file: paths.readings, read })
  const leftovers = {
    ledger,
    drivers: Object.values(drivers),
    workDir: paths.work,
    removeFolder: checkouts.removeFolder,
    log,
  }
  return {
    config,
    log,
    redaction,
    /** What became secret since. */
    learnSecrets: () => learnSecrets(config, redaction, secretStore),
    secrets: openSecrets(config, { store: secretStore, learn: redaction.learn }),
    sealSecret: secretStore.seal,
    /** No other process is at work in this data folder. */
    isAlone,
    store,
    ledger,
    forges,
    /** What is asked of GitHub about events, and what people are told there. */
    github: { desk, notices: createGitHubNotices({ url, auth, self: () => desk.self() }) },
    checkouts,
    setups,
    drivers,
    readOnce: (file: string, text: string): Routine => parseOrRefuse(file, text, read),
    routineOf: (version: Pick<RoutineVersion, 'file' | 'source'> & { commit?: string | null }): Routine =>
      readings.of(version.file, version.source) ?? parseOrRefuse(version.file, version.source, read),
    read,
    readings,
    transcriptFolder: (run: string, fence: number) => join(paths.transcripts, run, String(fence)),
    transcriptOf: (run: string, cursor: TranscriptCursor) =>
      readTranscript(join(paths.transcripts, run, String(cursor.fence)), cursor),
    promptOf: (run: string, fence: number) => readPrompt(join(paths.transcripts, run, String(fence))),
    /** Clears what killed processes left on this machine. */
    async heal() {
      await (isAlone ? healAfterKill(leftovers) : sweepEnded(leftovers))
      await sweepMirrors(paths.mirrors)
      await sweepCredentials(paths.credentials)
      await setups.sweep()
    },
    async sweep() {
      await sweepEnded(leftovers)
      await sweepMirrors(paths.mirrors)
      await sweepCredentials(paths.credentials)
      await setups.sweep()
    },
  }
}
