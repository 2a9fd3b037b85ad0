import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../src/log.ts'
import { createLedger, type Ledger } from '../../src/ledger/ledger.ts'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { parseOrRefuse } from '../../src/routines/read.ts'
import { fire } from '../../src/runs/fire.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'

export type LedgerFigures = {
  store: string
  acceptMs: { p50: number; p99: number }
  acceptsPerSecond: number
  floorMs: number
}

const many = 300
const at = 20

/**
 * What an accepted occasion costs: one transaction with its firing and its run, on disk when it is answered. Beside it the
 * floor, one statement that writes one row of the same store.
 */
export async function measureLedger(): Promise<LedgerFigures[]> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-bench-ledger-'))
  try {
    const figures = [await measure('PGlite', await openStore({ ledger: join(folder, 'ledger') }))]
    if (postgresMissing !== undefined) return figures
    await using postgres = await startPostgres()
    const { url: databaseUrl } = await postgres.createDatabase()
    return [...figures, await measure('PostgreSQL', await openStore({ databaseUrl, log: createLog('error') }))]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(name: string, store: Store): Promise<LedgerFigures> {
  try {
    await migrate(store)
    const ledger = createLedger(store)
    for (let index = 0; index < 20; index++) await accept(ledger, `warm-${index}`)
    const commits = await timesOf(50, () => store.db.execute('update clock_offset set ahead = ahead'))
    const accepts = await timesOf(many, (index) => accept(ledger, `one-${index}`))
    const started = performance.now()
    for (let start = 0; start < many; start += at) {
      await Promise.all(Array.from({ length: at }, (_, index) => accept(ledger, `many-${start + index}`)))
    }
    const acceptsPerSecond = many / ((performance.now() - started) / 1000)
    return {
      store: name,
      acceptMs: { p50: part(accepts, 0.5), p99: part(accepts, 0.99) },
      acceptsPerSecond,
      floorMs: part(commits, 0.5),
    }
  } finally {
    await store.close()
  }
}

/** Each of another routine, as a morning's webhooks are. */
async function accept(ledger: Ledger, name: string): Promise<void> {
  const source = `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\n---\n`
  const routine = parseOrRefuse(`/routines/${name}.md`, source, { defaultEngine: 'command', checkSchedule })
  await ledger.transaction((tx) => fire(tx, { routine, trigger: 'api', key: 'bench', inputs: {}, by: 'bench' }))
}

async function timesOf(times: number, act: (index: number) => Promise<unknown>): Promise<number[]> {
  const all: number[] = []
  for (let index = 0; index < times; index++) {
    const started = performance.now()
    await act(index)
    all.push(performance.now() - started)
  }
  return all.toSorted((a, b) => a - b)
}

const part = (sorted: readonly number[], share: number) => sorted[Math.floor((sorted.length - 1) * share)]!
