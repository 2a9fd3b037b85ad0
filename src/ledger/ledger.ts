import { sql } from './sql.ts'
import { createCallbacks } from './callbacks.ts'
import { createAlerts } from './alerts.ts'
import { createDeliveries } from './deliveries.ts'
import { createEarlierRuns } from './earlier-runs.ts'
import { createBackground } from './background.ts'
import { createEvents } from './events.ts'
import { createFirings } from './firings.ts'
import { createHistory } from './history.ts'
import { createFollowers } from './followers.ts'
import { holdRun } from './held-run.ts'
import type { Patience } from './insist.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { createOccasions } from './occasions.ts'
import { createOutbox } from './outbox.ts'
import { createOwed } from './owed.ts'
import { createPauses } from './pauses.ts'
import { createPolls } from './polls.ts'
import { createPublications } from './publications.ts'
import { createPulls } from './pulls.ts'
import { repeatOnDeadlock } from './repeat.ts'
import { createRetention } from './retention.ts'
import { createRoutines } from './routines.ts'
import { createRuns } from './runs.ts'
import { createSealedSecrets } from './sealed-secrets.ts'
import { createSettings } from './settings.ts'
import { createSlots } from './slots.ts'
import type { Run } from './schema.ts'
import type { Database, Store } from './store.ts'
import { createWatchQueries } from './watch.ts'
import { createTokens } from './tokens.ts'
import { createWorkers } from './workers.ts'

/** Everything that can be said to the ledger inside one transaction of it. */
export type Statements = ReturnType<typeof statements> & {
  /** What throws in there is undone by itself; the rest of the transaction stands. */
  apart<T>(act: (tx: Statements) => Promise<T>): Promise<T>
}

const inside = (db: Database): Statements => ({
  ...statements(db),
  apart: (act) => db.transaction((tx) => act(inside(tx))),
})

function statements(db: Database) {
  return {
    routines: createRoutines(db),
    history: createHistory(db),
    pauses: createPauses(db),
    settings: createSettings(db),
    sealed: createSealedSecrets(db),
    slots: createSlots(db),
    deliveries: createDeliveries(db),
    occasions: createOccasions(db),
    firings: createFirings(db),
    retention: createRetention(db),
    runs: createRuns(db),
    earlier: createEarlierRuns(db),
    background: createBackground(db),
    followers: createFollowers(db),
    owed: createOwed(db),
    publications: createPublications(db),
    pulls: createPulls(db),
    events: createEvents(db),
    workers: createWorkers(db),
    alerts: createAlerts(db),
    watched: createWatchQueries(db),
    callbacks: createCallbacks(db),
    outbox: createOutbox(db),
    tokens: createTokens(db),
    polls: createPolls(db),
    /** From here to the end of the transaction nobody else, in no process, is past this line with the same words. */
    oneAtATime: (what: string): Promise<void> => oneAtATime(db, what),
    /** The clock of slots, leases and limits. */
    async now(): Promise<Date> {
      const result = await db.execute<{ now: string | Date }>(sql`select clock() as now`)
      return new Date(result.rows[0]!.now)
    },
  }
}

/** `state` = the ledger has something new; `output` = only the transcript grew; `cancel` = a person wants it stopped. */
export type NewsKind = 'state' | 'output' | 'cancel'

/** Inside the transaction that ends a run. */
export type AtTheEnd = (tx: Statements, run: Run) => Promise<void>

export type Ledger = ReturnType<typeof createLedger>

/** The durable record; the only truth. */
export function createLedger(store: Store) {
  return {
    ...statements(store.db),
    /**
     * One transaction: all of it is on disk when this resolves, or none. Never wait for the network inside, and do nothing
     * that must not be done twice: one that met another is begun again. LedgerUnreachable may come after the commit.
     */
    transaction: <T>(act: (tx: Statements) => Promise<T>): Promise<T> =>
      repeatOnDeadlock(() => store.db.transaction((tx) => act(inside(tx)))),
    hold: (run: { id: string; fence: number }, { atTheEnd, ...patience }: Patience & { atTheEnd?: AtTheEnd }) =>
      holdRun(store.db, run, {
        ...patience,
        ...(atTheEnd ? { alsoAtTheEnd: (tx, ended) => atTheEnd(inside(tx), ended) } : {}),
      }),
    /**
     * Calls back with every run that has news (also from other processes); resolves to how to stop. `undefined`: news may
     * have been missed, of any run.
     */
    watch: async (onNews: (run: string | undefined, kind: NewsKind) => void): Promise<() => Promise<void>> => {
      const stops = [
        await store.listen('overnight_runs', (run) => onNews(run, 'state')),
        await store.listen('overnight_output', (run) => onNews(run, 'output')),
        await store.listen('overnight_cancel', (run) => onNews(run, 'cancel')),
      ]
      return async () => {
        for (const stop of stops) await stop()
      }
    },
    /** Calls back when what is in force may have changed (also by other processes); resolves to how to stop. */
    watchRoutines: (onNews: () => void): Promise<() => Promise<void>> => store.listen('overnight_routines', onNews),
    /** A run has news that is not in the ledger (its transcript grew). */
    announce: (run: string): Promise<void> => store.notify('overnight_output', run),
  }
}
