import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createBubblewrapDriver } from '../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { createRepository, type Files } from './git-repository.ts'
import { need } from './need.ts'
import { openPlace, type Place } from './place.ts'
import { untilSettled, type ServiceProcess, type StartOptions } from './service-process.ts'

const missing = await createBubblewrapDriver().probe()
const walls = need(missing === undefined ? undefined : `bubblewrap: ${missing}`)

/** For `describe.for(sandboxes)`: every story is told where nothing confines, and behind walls. */
export const sandboxes = [
  { sandbox: 'process', title: 'process', skip: false },
  { sandbox: 'bubblewrap', title: `bubblewrap${walls.note}`, skip: walls.skip },
] as const

export type Agent = {
  /** A script of sh, run in the checkout; or a whole command. */
  sh?: string
  command?: readonly string[]
  repository?: string
  /** Front matter beside repository and engine. */
  more?: Record<string, unknown>
  prompt?: string
}
type Finding = { rule: string; path: string | null; message: string }
export type Settled = Awaited<ReturnType<typeof untilSettled>> & { findings: Finding[] }

/** One service, and agents that it is asked to run once. */
export type Crew = AsyncDisposable & {
  place: Place
  service: ServiceProcess
  /** A new repository with one commit. */
  repository(name: string, files?: Files): string
  start(name: string, agent: Agent): Promise<string>
  /** Starts and waits; then nothing of the run may be left. */
  run(name: string, agent: Agent): Promise<Settled>
  settled(run: string): Promise<Settled>
  /** Resolves when the run is in this state. */
  reaches(run: string, state: string): Promise<void>
  diff(run: string): Promise<string>
  said(run: string): Promise<string>
  /** Waits for some seconds until processes, folders and temporary files of the run are gone. */
  nothingLeft(run: string): Promise<void>
}

export async function openCrew(
  env: Record<string, string> = {},
  { place: given, within }: { place?: Place } & Pick<StartOptions, 'within'> = {},
): Promise<Crew> {
  const place = given ?? (await openPlace())
  const service = await place
    .start({ env: { OVERNIGHT_CONCURRENCY: '3', OVERNIGHT_LOG: 'warn', ...env }, ...(within ? { within } : {}) })
    .catch((error: unknown) => {
      place[Symbol.dispose]()
      throw error
    })
  const settled = (run: string) => untilSettled(service, run) as Promise<Settled>
  const crew: Crew = {
    place,
    service,
    repository: (name, files) => createRepository(join(place.folder, name), files),
    async start(name, agent) {
      const body = { file: join(place.folder, `${name}.md`), text: textOf({ repository: place.repository, ...agent }) }
      return (await service.post<{ run: string }>('/v1/runs', body)).run
    },
    async run(name, agent) {
      const ended = await settled(await crew.start(name, agent))
      await crew.nothingLeft(ended.run)
      return ended
    },
    settled,
    reaches: (run, state) =>
      until(20, async () => [(await service.get<Settled>(`/v1/runs/${run}`)).state].filter((now) => now !== state)),
    diff: async (run) => (await service.fetch(`/v1/runs/${run}/diff`)).text(),
    said: async (run) => saidIn(await (await service.fetch(`/v1/runs/${run}/events?follow=no`)).text()),
    nothingLeft: (run) => until(8, () => leftOf(place, run)),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      place[Symbol.dispose]()
    },
  }
  return crew
}

/** Asks until nothing stands in the way any more; throws what still does. */
export async function until(seconds: number, inTheWay: () => Promise<unknown[]>): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const left = await inTheWay()
    if (left.length === 0) return
    if (performance.now() > deadline) throw new Error(`after ${seconds} s there is still ${JSON.stringify(left)}`)
    await delay(50)
  }
}

function textOf({ sh = '', command = ['sh', '-c', sh], repository, more = {}, prompt = 'Do it.' }: Agent): string {
  const keys = { repository, engine: { name: 'command', command }, ...more }
  return `---\n${Object.entries(keys)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('')}---\n${prompt}\n`
}

/** Notes of the timeline. */
export async function notesOf({ service }: Pick<Crew, 'service'>, run: string): Promise<string[]> {
  const body = await (await service.fetch(`/v1/runs/${run}/events?follow=no`)).text()
  const events = body.split('\n\n').filter((event) => /^event: note$/m.test(event))
  return events.map((event) => {
    const data = /^data: (.*)$/m.exec(event)?.[1] ?? '{}'
    return (JSON.parse(data) as { data: { text: string } }).data.text
  })
}

/** What the agent printed, as far as it is kept. */
function saidIn(stream: string): string {
  return stream
    .split('\n\n')
    .filter((event) => event.includes('event: output'))
    .map((event) => JSON.parse(/^data: (.*)$/m.exec(event)![1]!) as { content: { text: string } })
    .map(({ content }) => content.text)
    .join('')
}

/** Everything on this machine that a run could leave: marked processes, its folder, its temporary files. */
export async function leftOf({ data }: Pick<Place, 'data'>, run: string): Promise<string[]> {
  const names = async (folder: string) => (await readdir(folder).catch(() => [])).filter((name) => name.includes(run))
  const processes = await processesOf((environ) => environ.includes(`OVERNIGHT_RUN=${run}\0`), 'environ')
  return [
    ...processes.map((pid) => `process ${pid}`),
    ...(await names(join(data, 'work'))).map((name) => `work/${name}`),
    ...(await names(tmpdir())),
  ]
}

/** Processes of the whole machine whose arguments, joined by spaces, are these words. */
export const processesCalled = (words: string) =>
  processesOf((argv) => argv.replaceAll('\0', ' ').trim() === words, 'cmdline')

export async function processesOf(fits: (text: string) => boolean, file: 'environ' | 'cmdline'): Promise<number[]> {
  const found: number[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (fits(await readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => ''))) found.push(Number(pid))
  }
  return found
}
