import { createPostgresBackend, createRedisBackend, runMigrations, withBackend } from 'bullmq'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRepository } from '../../support/git-repository.ts'
import { startService, untilSettled } from '../../support/service-process.ts'
import { type Bench, timed } from '../row.ts'
import { type OpenStores, type StoreKind, storeKinds } from '../stores.ts'
import { once } from './fire.ts'

const concurrency = 2
const many = 60

/** Whole runs that change nothing (checkout, process, collecting, ending) beside BullMQ alone, on every kind of store. */
export async function runs({ place, tell }: Bench): Promise<void> {
  const repository = createRepository(join(place, 'repository'))
  for (const kind of storeKinds) {
    if (kind.missing === undefined) await runsOn(kind, repository, { place: join(place, kind.name), tell })
    else console.log(`no-op runs/s on ${kind.name}: left out, ${kind.missing} is missing`)
  }
}

async function runsOn(kind: StoreKind, repository: string, { place, tell }: Bench): Promise<void> {
  const data = join(place, 'data')
  const routines = join(place, 'routines')
  await mkdir(data, { recursive: true })
  await mkdir(routines)
  await using stack = new AsyncDisposableStack()
  const { env, bullmq } = await kind.open(place, stack)
  const settings = { OVERNIGHT_LOG: 'warn', OVERNIGHT_CONCURRENCY: String(concurrency), OVERNIGHT_LEASE_SECONDS: '30' }
  const service = stack.use(await startService({ data, routines, env: { ...settings, ...env } }))
  if (existsSync(join(data, 'ledger')) !== (kind.name === 'embedded')) {
    throw new Error(`the service is not on ${kind.name}: its figures would be those of another store`)
  }
  const idle = await rssMb(service.pid)
  const routine = once({ place, repository, sandbox: 'process', command: ['true'] })
  const took = await timed(async () => {
    const accepted = await Promise.all(
      Array.from({ length: many }, () => service.post<{ run: string }>('/v1/runs', routine)),
    )
    const ended = await Promise.all(accepted.map(({ run }) => untilSettled(service, run)))
    const other = ended.find(({ state }) => state !== 'unchanged')
    if (other) throw new Error(`a run that does nothing is ${other.state}: ${other.message}`)
  })
  const raw = await bareJobsPerSecond(bullmq, many * 5)
  tell({
    what: `whole no-op runs, ${kind.name}`,
    unit: '/s',
    figure: many / (took / 1000),
    beside: [{ what: 'BullMQ alone', figure: raw }],
  })
  const promised = { what: 'promised at most', figure: 400 }
  tell({ what: `RSS idle after start, ${kind.name}`, unit: 'MB', figure: idle, beside: [promised] })
  tell({ what: `RSS after ${many} runs, ${kind.name}`, unit: 'MB', figure: await rssMb(service.pid), beside: [] })
}

/** BullMQ's own classes with its own settings: nothing of ours but as many jobs at a time. */
async function bareJobsPerSecond(bullmq: OpenStores['bullmq'], jobs: number): Promise<number> {
  const { connection, bull } = await connect(bullmq)
  let done = 0
  const all = Promise.withResolvers<void>()
  const queue = new bull.Queue('bare', { connection })
  const count = async () => {
    if (++done === jobs) all.resolve()
  }
  const worker = new bull.Worker('bare', count, { connection, concurrency })
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
  const took = await timed(async () => {
    await Promise.all(Array.from({ length: jobs }, (_, index) => queue.add('job', { index })))
    await all.promise
  })
  await worker.close()
  await queue.close()
  return jobs / (took / 1000)
}

async function connect(bullmq: OpenStores['bullmq']) {
  if (bullmq.kind === 'redis') return { connection: { url: bullmq.url }, bull: withBackend(createRedisBackend) }
  const client = await bullmq.pool.connect()
  try {
    await runMigrations(client)
  } finally {
    client.release()
  }
  return { connection: bullmq.pool, bull: withBackend(createPostgresBackend) }
}

async function rssMb(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
