import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startService, type ServiceProcess } from '../../support/service-process.ts'
import { type Bench, timed } from '../row.ts'
import { storeKinds, type StoreKind } from '../stores.ts'

const many = 10_000
const promised = { first: 20_000, again: 3000, idlePercent: 2 }
/** What a start has left to do (the watch learns all texts) is done by then; and long enough for some looks at the folder. */
const idle = { afterMs: 45_000, forMs: 60_000 }
/** Of /proc: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const ticksPerSecond = 100

/** Ten thousand routine files: the first start, a start with nothing new, what waiting costs, and the pages. */
export async function routines({ place, tell }: Bench): Promise<void> {
  const folder = join(place, 'routines')
  await mkdir(folder)
  for (let index = 0; index < many; index += 1) await writeFile(join(folder, `r${index}.md`), textOf(index))
  await writeFile(join(folder, 'broken.md'), '---\nnope: 1\n---\n')
  for (const kind of storeKinds.filter(({ name }) => name !== 'PostgreSQL and Redis')) {
    if (kind.missing === undefined) await measure(kind, folder, { place: join(place, kind.name), tell })
    else console.log(`10,000 routines on ${kind.name}: left out, ${kind.missing} is missing`)
  }
}

async function measure(kind: StoreKind, folder: string, { place, tell }: Bench): Promise<void> {
  await mkdir(join(place, 'data'), { recursive: true })
  await using stack = new AsyncDisposableStack()
  const { env } = await kind.open(place, stack)
  const start = async (routinesIn: string): Promise<{ ms: number; service: ServiceProcess }> => {
    let service: ServiceProcess | undefined
    const settings = { data: join(place, 'data'), routines: routinesIn, env: { OVERNIGHT_LOG: 'warn', ...env } }
    const ms = await timed(async () => (service = await startService(settings)))
    return { ms, service: service! }
  }
  const floor = await timed(() => readAndHash(folder))
  const first = await start(folder)
  const { total } = await first.service.get<{ total: number }>('/v1/routines?limit=1')
  if (total !== many) throw new Error(`${total} routines are in force`)
  await first.service[Symbol.asyncDispose]()
  const again = await start(folder)
  const beside = (figure: number) => [
    { what: 'promised', figure },
    { what: 'reading and hashing the files', figure: floor },
  ]
  const of = `${many} routines on ${kind.name}`
  tell({ what: `first start, ${of}`, unit: 'ms', figure: first.ms, beside: beside(promised.first) })
  tell({
    what: `start with nothing new, ${of}`,
    unit: 'ms',
    figure: again.ms,
    beside: beside(promised.again),
  })
  const page = await timed(async () => (await again.service.fetch('/')).text())
  const size = (await (await again.service.fetch('/')).text()).length / 1024
  tell({ what: `front page of ${Math.round(size)} KB, ${of}`, unit: 'ms', figure: page, beside: [] })
  await delay(idle.afterMs)
  const before = await cpuSeconds(again.service.pid)
  await delay(idle.forMs)
  const percent = ((await cpuSeconds(again.service.pid)) - before) / (idle.forMs / 100_000)
  console.log(
    `${`idle, ${of}`.padEnd(58)} ${percent.toFixed(2).padStart(9)} % of a core (promised: ${promised.idlePercent})`,
  )
  tell({ what: `memory, ${of}`, unit: 'MB', figure: await residentMegabytes(again.service.pid), beside: [] })
  await again.service[Symbol.asyncDispose]()
}

/** What a start can do no faster, unless it trusts in times of files. */
async function readAndHash(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    createHash('sha256')
      .update(readFileSync(join(folder, entry)))
      .digest('hex')
  }
}

async function residentMegabytes(pid: number): Promise<number> {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function textOf(index: number): string {
  return `---
description: Keeps the dependencies of part ${index} fresh
on:
  schedule: { cron: "${index % 60} ${index % 24} * * 1-5", timezone: Europe/Berlin }
repository: acme/part-${index % 100}
limits: { minutes: 30 }
---
Update the dependencies of part ${index} that have safe newer versions.
${'Say in one sentence what changed and why. '.repeat(10)}
`
}
