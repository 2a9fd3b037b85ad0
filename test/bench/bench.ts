import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../src/log.ts'
import { openStore } from '../../src/ledger/store.ts'
import { openQueue } from '../../src/queue/bullmq.ts'
import { createRepository } from '../support/git-repository.ts'
import { startService, untilSettled, type ServiceProcess } from '../support/service-process.ts'

// npm run bench: figures beside a floor or a peer of the same run; these machines are noisy, so read the ratios.
const place = await mkdtemp(join(tmpdir(), 'overnight-bench-'))
const rows: [what: string, figure: string, beside: string][] = []
const noRoutines = join(place, 'none')
const ms = (value: number) => `${Math.round(value)} ms`
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

async function timed<T>(act: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now()
  const result = await act()
  return [result, performance.now() - start]
}

async function startsUp(): Promise<void> {
  const floor = median(
    Array.from({ length: 5 }, () => {
      const start = performance.now()
      spawnSync(process.execPath, ['-e', ''])
      return performance.now() - start
    }),
  )
  const start = async (data: string) => {
    const [service, took] = await timed(async () => {
      const started = await startService({ data, routines: noRoutines, env: { OVERNIGHT_LOG: 'warn' } })
      await started.get('/health')
      return started
    })
    await service[Symbol.asyncDispose]()
    return took
  }
  const data = join(place, 'start')
  await mkdir(data)
  rows.push(['start → first 2xx, empty data folder', ms(await start(data)), `an empty node: ${ms(floor)}`])
  rows.push([
    'start → first 2xx, warm (median of 5)',
    ms(median([await start(data), await start(data), await start(data), await start(data), await start(data)])),
    `an empty node: ${ms(floor)}`,
  ])
}

function rssMb(pid: number): Promise<number> {
  return readFile(`/proc/${pid}/status`, 'utf8').then((text) => Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024)
}

const once = (repository: string, sandbox: string, command: string[]) => ({
  file: join(place, 'once.md'),
  text: `---\nrepository: ${JSON.stringify(repository)}\nsandbox: ${sandbox}\nengine: { name: command, command: ${JSON.stringify(command)} }\n---\n`,
})

/** The agent prints the time it started at; both clocks are this machine's. */
async function firesAgents(service: ServiceProcess, repository: string): Promise<void> {
  for (const sandbox of ['process', 'bubblewrap']) {
    const waits: number[] = []
    for (let time = 0; time < 10; time++) {
      const asked = Date.now()
      const { run } = await service.post<{ run: string }>('/v1/runs', once(repository, sandbox, ['date', '+%s%N']))
      const ended = await untilSettled(service, run)
      const output = await (await service.fetch(`/v1/runs/${run}/events?follow=no`)).text()
      const started = /"text":"(\d{13})\d{6}/.exec(output)?.[1]
      if (ended.state !== 'unchanged' || started === undefined)
        throw new Error(`${sandbox}: ${ended.state} ${ended.message}`)
      waits.push(Number(started) - asked)
    }
    const bare = median(
      Array.from({ length: 10 }, () => {
        const asked = Date.now()
        return Number(spawnSync('date', ['+%s%N'], { encoding: 'utf8' }).stdout.slice(0, 13)) - asked
      }),
    )
    rows.push([`fire → agent started, ${sandbox} (median of 10)`, ms(median(waits)), `the bare process: ${ms(bare)}`])
  }
}

async function runsNothing(service: ServiceProcess, repository: string): Promise<void> {
  const many = 60
  const [, took] = await timed(async () => {
    const accepted = await Promise.all(
      Array.from({ length: many }, () =>
        service.post<{ run: string }>('/v1/runs', once(repository, 'process', ['true'])),
      ),
    )
    await Promise.all(accepted.map(({ run }) => untilSettled(service, run)))
  })
  const peer = await rawJobsPerSecond(many * 5)
  const ours = many / (took / 1000)
  rows.push([
    'whole no-op runs/s (checkout to ending)',
    ours.toFixed(1),
    `raw BullMQ no-op jobs/s on the same kind of store: ${peer.toFixed(0)} (ratio ${(peer / ours).toFixed(1)})`,
  ])
}

async function rawJobsPerSecond(jobs: number): Promise<number> {
  const store = await openStore({ ledger: join(place, 'raw') })
  let done = 0
  const all = Promise.withResolvers<void>()
  const queue = await openQueue({
    backend: { kind: 'postgres', pool: store.pool },
    log: createLog('error'),
    concurrency: 2,
    work: async () => {
      if (++done === jobs) all.resolve()
    },
  })
  const [, took] = await timed(async () => {
    await Promise.all(Array.from({ length: jobs }, (_, index) => queue.enqueue(`run${index}`, 1)))
    await all.promise
  })
  await queue.close({ graceMs: 100 })
  await store.close()
  return jobs / (took / 1000)
}

try {
  await mkdir(noRoutines)
  await startsUp()
  const repository = createRepository(join(place, 'repository'))
  const data = join(place, 'data')
  await mkdir(data)
  await using service = await startService({
    data,
    routines: noRoutines,
    env: { OVERNIGHT_LOG: 'warn', OVERNIGHT_CONCURRENCY: '2', OVERNIGHT_LEASE_SECONDS: '30' },
  })
  const idle = await rssMb(service.pid)
  await firesAgents(service, repository)
  await runsNothing(service, repository)
  rows.push(['RSS idle after start', `${idle.toFixed(0)} MB`, 'promised: ≤ 400 MB'])
  rows.push(['RSS after the runs above', `${(await rssMb(service.pid)).toFixed(0)} MB`, ''])
} finally {
  await rm(place, { recursive: true, force: true })
}
const width = Math.max(...rows.map(([what]) => what.length))
for (const [what, figure, beside] of rows) console.log(`${what.padEnd(width)}  ${figure.padStart(9)}  ${beside}`)
