import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sign } from '@octokit/webhooks-methods'
import { sql } from '../../../src/ledger/sql.ts'
import { openStore } from '../../../src/ledger/store.ts'
import { examples } from '../../support/github/events.ts'
import { postgresMissing, startPostgres } from '../../support/postgres.ts'
import { startService } from '../../support/service-process.ts'
import { type Answered, openLoad, percentile, type Sample } from '../load.ts'
import type { Bench } from '../row.ts'

const secret = 'what GitHub signs with'
const [perSecond, seconds, many] = [500, 10, 10_000]

/**
 * What GitHub waits for: a real pull request event of 21 KB, sent on schedule, answered once it is on disk. The floor is measured in the
 * same minutes, and rows are counted afterwards: each 2xx is one.
 */
export async function hooks({ place, tell }: Bench): Promise<void> {
  if (postgresMissing === undefined) await onPostgres({ place, tell })
  else console.log(`acknowledgements on PostgreSQL: left out, ${postgresMissing} is missing`)
  await onEmbedded({ place, tell })
}

async function sampleFor(url: string): Promise<Sample> {
  const found = examples.filter(({ name }) => name === 'pull_request').map(({ payload }) => JSON.stringify(payload))
  const text = found.toSorted((a, b) => Math.abs(a.length - 21_000) - Math.abs(b.length - 21_000))[0]!
  const headers = { 'content-type': 'application/json', 'x-github-event': 'pull_request' }
  return { url, body: Buffer.from(text), headers: { ...headers, 'x-hub-signature-256': await sign(secret, text) } }
}

async function serve(place: string, env: Record<string, string>, argv: string[]) {
  const [data, routines] = [join(place, 'data'), join(place, 'routines')]
  await mkdir(data, { recursive: true })
  await mkdir(routines, { recursive: true })
  const front =
    'repository: acme/shop\non: { github: { event: pull_request } }\nengine: { name: command, command: ["true"] }'
  await writeFile(join(routines, 'listening.md'), `---\n${front}\n---\n`)
  const more = { OVERNIGHT_LOG: 'error', OVERNIGHT_GITHUB_WEBHOOK_SECRET: secret, ...env }
  return { data, service: await startService({ data, routines, env: more, argv }) }
}

async function onPostgres({ place, tell }: Bench): Promise<void> {
  await using postgres = await startPostgres({ synchronous_commit: 'on' })
  const [ours, bare] = [await postgres.createDatabase(), await postgres.createDatabase()]
  const { service } = await serve(join(place, 'postgres'), { DATABASE_URL: ours.url }, ['server'])
  await using _service = service
  const floor = await startFloor(bare.url)
  try {
    const [mine, theirs] = [await sampleFor(service.url), await sampleFor(floor.url)]
    using load = openLoad(mine, 200)
    using floorLoad = openLoad(theirs, 200)
    // Both have been asked before: a first connection and a cold function are not what is measured.
    for (const one of [load, floorLoad]) await one.closed(8, 2)
    const least = accepted(await floorLoad.open(perSecond, seconds))
    const steady = accepted(await load.open(perSecond, seconds))
    for (const [percent, promised] of [
      [50, 50],
      [99, 250],
    ] as const) {
      tell({
        what: `acknowledged at ${perSecond}/s, p${percent}, PostgreSQL`,
        unit: 'ms',
        figure: percentile(steady, percent),
        beside: [
          { what: 'floor', figure: percentile(least, percent) },
          { what: 'promised at most', figure: promised },
        ],
      })
    }
    const bareBurst = Math.max(...accepted(await floorLoad.burst(many)))
    const burst = Math.max(...accepted(await load.burst(many)))
    tell({
      what: `a burst of ${many}, all 2xx after, PostgreSQL`,
      unit: 'ms',
      figure: burst,
      beside: [
        { what: 'floor', figure: bareBurst },
        { what: 'promised at most', figure: 20_000 },
      ],
    })
    const promised = { what: 'promised at most', figure: 512 }
    tell({
      what: 'RSS of the server, its highest',
      unit: 'MB',
      figure: await highestMb(service.pid),
      beside: [promised],
    })
  } finally {
    floor.child.kill()
    await once(floor.child, 'exit')
  }
}

/** Throws when one of them was not taken. */
function accepted(answers: readonly Answered[]): number[] {
  const other = answers.find(({ status }) => status !== 202)
  if (other) throw new Error(`an event was answered ${other.status}`)
  return answers.map(({ ms }) => ms)
}

async function onEmbedded({ place, tell }: Bench): Promise<void> {
  const { data, service } = await serve(join(place, 'embedded'), {}, ['up'])
  let taken = 0
  try {
    using load = openLoad(await sampleFor(service.url), 4000)
    const sustained = await load.closed(64, 5)
    const rate = sustained.filter(({ status }) => status === 202).length / 5
    tell({ what: 'acknowledged in a second, sustained, embedded store', unit: '/s', figure: rate, beside: [] })
    const flood = await load.open(Math.ceil(rate * 4), 4)
    const answers = [...sustained, ...flood]
    taken = answers.filter(({ status }) => status === 202).length
    const wrong = answers.find(
      ({ status, retryAfter }) => ![0, 202].includes(status) && !(status === 503 && retryAfter),
    )
    if (wrong) throw new Error(`a flood was answered ${wrong.status}`)
    const refused = flood.filter(({ status }) => status === 503).length
    console.log(
      `of a flood of ${flood.length} the embedded store took ${flood.length - refused}; ${refused} were told to come again`,
    )
  } finally {
    await service[Symbol.asyncDispose]()
  }
  const store = await openStore({ ledger: join(data, 'ledger') })
  try {
    const { rows } = await store.db.execute<{ n: number }>(sql`select count(*)::int as n from deliveries`)
    if (rows[0]!.n < taken) throw new Error(`${taken} were acknowledged and ${rows[0]!.n} are there`)
    console.log(`each of ${taken} that were acknowledged is there`)
  } finally {
    await store.close()
  }
}

async function startFloor(database: string): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../floor-hook.ts'), database], {
    env: { PATH: process.env['PATH'] ?? '', HOOK_SECRET: secret },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { url: line.replace('up at ', ''), child }
}

async function highestMb(pid: number): Promise<number> {
  return Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
