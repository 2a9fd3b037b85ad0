import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../support/crew.ts'
import { openFleet, type Fleet } from '../support/fleet.ts'
import { createRepository } from '../support/git-repository.ts'
import { untilSettled } from '../support/service-process.ts'

/** As many runs as may be at work on one repository. Three workers of three hands could do with three times as many. */
const limit = 3
const workers = 3
const routines = ['north', 'south', 'east', 'west'] as const
/** One that has a limit of its own, beside which the repository still has room. */
export const narrow = { name: 'narrow', limit: 2 }

/**
 * The agent: a line when it starts and one before it ends. Each is one write at the end of the journal, so their order is
 * that in which it happened, whatever any clock says.
 */
const sh = 'echo "start $OVERNIGHT_RUN" >>"$1"; sleep 1; echo "end $OVERNIGHT_RUN" >>"$1"'

type Crowd = AsyncDisposable & {
  /** So many runs are owed before the first worker is there; then the agents' journal tells of all of them. */
  settle(runs: number): Promise<Told>
  /** Once the workers are there and have nothing else: so many runs of `narrow` alone. */
  settleNarrow(runs: number): Promise<Told>
}

/** A fleet that owes many runs of several routines on one repository, which has a limit. */
export async function openCrowd(): Promise<Crowd> {
  await using building = new AsyncDisposableStack()
  const env = { OVERNIGHT_REPOSITORY_LIMIT: String(limit), OVERNIGHT_CONCURRENCY: String(limit), OVERNIGHT_LOG: 'warn' }
  const fleet = building.use(await openFleet({ repositories: ['acme/one'], env }))
  const [repository, journal] = [join(fleet.data, 'shop'), join(fleet.data, 'agents.journal')]
  createRepository(repository)
  const engine = { name: 'command', command: ['sh', '-c', sh, 'agent', journal] }
  for (const name of routines) fleet.routine(name, { repository, more: { engine, overlap: { parallel: 100 } } })
  const own = { overlap: { parallel: 100 }, limits: { at_once: narrow.limit } }
  fleet.routine(narrow.name, { repository, more: { engine, ...own } })
  await until(20, async () => {
    const known = await fleet.server.get<{ routines: { name: string }[] }>('/v1/routines')
    return [...routines, narrow.name].filter((name) => !known.routines.some((routine) => routine.name === name))
  })
  const stack = building.move()
  async function told(runs: string[]): Promise<Told> {
    for (const run of runs) await untilSettled(fleet.server, run)
    const ended = await Promise.all(runs.map((run) => fleet.server.get<Ended>(`/v1/runs/${run}`)))
    return { runs, ...readJournal(await readFile(journal, 'utf8'), runs), ...busy(ended) }
  }
  return {
    async settle(count) {
      const runs = await fireAll(fleet, count, routines)
      await Promise.all(Array.from({ length: workers }, () => fleet.worker()))
      return told(runs)
    },
    settleNarrow: async (count) => told(await fireAll(fleet, count, [narrow.name])),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function fireAll(fleet: Fleet, count: number, of: readonly string[]): Promise<string[]> {
  const runs: string[] = []
  for (let index = 0; index < count; index += 1) {
    const path = `/v1/routines/${of[index % of.length]}/fire`
    const fired = await fleet.server.post<{ run: string }>(path, {}, { 'idempotency-key': `owed-${index}` })
    runs.push(fired.run)
  }
  return runs
}

/** Every promise that was broken, as sentences. */
export function checkCrowd({ runs, starts, ends, most, mean }: Told, atOnce = limit): string[] {
  const times = (list: readonly string[], run: string) => list.filter((one) => one === run).length
  const broken = runs.flatMap((run) => {
    const [started, ended] = [times(starts, run), times(ends, run)]
    return started === 1 && ended === 1 ? [] : [`run ${run} was started ${started} times and ended ${ended} times`]
  })
  if (starts.length > runs.length) broken.push(`${starts.length} agents were started for ${runs.length} runs`)
  if (most > atOnce) broken.push(`${most} agents were at work at one instant`)
  // Places that are filled only when somebody looks, every five seconds, would make it about one.
  if (mean < atOnce - 1) broken.push(`only ${mean.toFixed(2)} runs were at work on average, and more were owed`)
  return broken
}

type Told = Journal & {
  runs: string[]
  /** Runs in the hands of a worker on average, by the ledger, from the first start until the last end. */
  mean: number
  seconds: number
}
type Journal = {
  /** A run for each time its agent was started. */
  starts: string[]
  ends: string[]
  /** The most agents at work at one instant. */
  most: number
}

/** Of the lines of these runs. */
function readJournal(text: string, runs: readonly string[]): Journal {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, run = '']) => runs.includes(run))
  const runsThat = (word: string) => lines.flatMap(([what, run = '']) => (what === word ? [run] : []))
  let [atWork, most] = [0, 0]
  for (const [what] of lines) {
    atWork += what === 'start' ? 1 : -1
    most = Math.max(most, atWork)
  }
  return { starts: runsThat('start'), ends: runsThat('end'), most }
}

type Ended = { endedAt: string; seconds: number }

/** An agent alone would say more of how busy the machine is with copies than of whether a place is filled again. */
function busy(ended: readonly Ended[]): Pick<Told, 'mean' | 'seconds'> {
  const ends = ended.map(({ endedAt }) => Date.parse(endedAt) / 1000)
  const seconds = Math.max(...ends) - Math.min(...ended.map((run, index) => ends[index]! - run.seconds))
  return { mean: ended.reduce((sum, run) => sum + run.seconds, 0) / seconds, seconds }
}
