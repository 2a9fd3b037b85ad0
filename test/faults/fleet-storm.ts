import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openFleet, type Fleet, type WorkerProcess } from '../support/fleet.ts'
import type { JournalLine } from '../support/github/journal.ts'
import { git } from '../support/git-repository.ts'
import { findMarked } from '../../src/sandboxes/commands/processes.ts'
import type { RunFault } from './weather.ts'

const routines = ['east', 'west'] as const
type Routine = (typeof routines)[number]
/** What the service answered 2xx to: it is never to be lost. */
type Accepted = { routine: Routine; run: string }
type RunNow = {
  state: string
  reason: string | null
  message: string | null
  commit: string | null
  branch: string | null
}

/** No fault of these lasts so long; a run that has not ended by then is lost. */
const patienceMs = 120_000
const endings = ['published', 'unchanged', 'failed', 'cancelled', 'timed_out', 'skipped', 'needs_approval']

/** The agent writes down that it was started, works for a moment, and leaves what no other run leaves. */
const program = `const fs = require('fs'); const run = process.env.OVERNIGHT_RUN; fs.appendFileSync(process.argv[1], run + '\\n'); setTimeout(() => { fs.writeFileSync('note.md', 'written by ' + run + '\\n'); console.log('Wrote the note of this night') }, 600)`

export type Storm = AsyncDisposable & {
  /** Every promise that was broken, as sentences. */
  trial(fault: RunFault): Promise<string[]>
}

/** A fleet that runs are fired at while something happens to it; its own journals are compared with the ledger after each. */
export async function openStorm(): Promise<Storm> {
  const fleet = await openFleet({ repositories: routines.map((name) => `acme/${name}`) })
  const journal = join(fleet.data, 'agents.journal')
  for (const name of routines) fleet.routine(name, { repository: `acme/${name}`, program, args: [journal] })
  const crew: WorkerProcess[] = []
  let trials = 0

  return {
    async trial(fault) {
      trials += 1
      const before = fleet.github.lines().length
      const accepted = await strike({ fleet, crew, fault, fire: (routine) => fire(fleet, routine, `trial-${trials}`) })
      const ended = await Promise.all(accepted.map(async (one) => ({ ...one, ...(await untilEnded(fleet, one.run)) })))
      const lines = fleet.github.lines().slice(before)
      const starts = existsSync(journal) ? (await readFile(journal, 'utf8')).split('\n') : []
      const broken = [
        ...ended.flatMap((run) => checkRun(fleet, run, lines)),
        ...ended.flatMap(({ run }) => checkStarts(run, starts.filter((line) => line === run).length)),
        ...lines
          .filter((line) => line.kind === 'violation')
          .map((line) => `asked GitHub what it does not know: ${line.path}`),
        ...(await checkNothingLeft(ended.map(({ run }) => run))),
      ]
      // As a person would: the next run has to open a pull request of its own.
      for (const line of lines)
        if (line.kind === 'pull' && line.act === 'opened') await fleet.github.act('close', line.repository, line.number)
      return broken
    },
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  }
}

type Strike = { fleet: Fleet; crew: WorkerProcess[]; fault: RunFault; fire(routine: Routine): Promise<Accepted> }

async function strike({ fleet, crew, fault, fire }: Strike): Promise<Accepted[]> {
  const fireAll = () => Promise.all(routines.map((routine) => fire(routine)))
  if (fault.kind === 'kill_at' || fault.kind === 'zombie') {
    for (const worker of crew.splice(0)) await end(worker)
    const doomed = await fleet.worker(fault.kind === 'kill_at' ? { crash: fault.step } : { stop: fault.step })
    const accepted = await fireAll()
    if (fault.kind === 'kill_at') await doomed.exit
    else await doomed.said(/standing still at/)
    crew.push(await fleet.worker(), await fleet.worker())
    if (fault.kind === 'kill_at') return accepted
    for (const { run } of accepted) await untilEnded(fleet, run)
    doomed.kill('SIGCONT')
    await doomed.said(/another worker took the run over|run ended/)
    await end(doomed)
    return accepted
  }
  while (crew.length < 2) crew.push(await fleet.worker())
  const accepted = fireAll()
  // While the ledger is away a fire is asked again until it is accepted.
  accepted.catch(() => {})
  await delay(fault.afterMs)
  if (fault.kind === 'kill_any') {
    const [victim] = crew.splice(Math.floor(fault.afterMs) % crew.length, 1)
    victim!.kill('SIGKILL')
    await victim!.exit
  } else if (fault.kind === 'redis_flush') await fleet.redis.ask('FLUSHALL')
  else if (fault.kind === 'redis_kill') {
    await fleet.redis.stop('SIGKILL')
    await delay(fault.downMs)
    await fleet.redis.start()
  } else {
    await fleet.postgres.stop(fault.how)
    await delay(fault.downMs)
    await fleet.postgres.start()
  }
  return accepted
}

async function end(worker: WorkerProcess): Promise<void> {
  worker.kill('SIGTERM')
  await worker.exit
}

/** As a client would: the same key until there is an answer. */
async function fire(fleet: Fleet, routine: Routine, key: string): Promise<Accepted> {
  const { run } = await insist(() =>
    fleet.server.post<{ run: string }>(`/v1/routines/${routine}/fire`, {}, { 'idempotency-key': key }),
  )
  return { routine, run }
}

async function untilEnded(fleet: Fleet, run: string): Promise<RunNow> {
  const until = performance.now() + patienceMs
  for (;;) {
    const now = await insist(() => fleet.server.get<RunNow>(`/v1/runs/${run}`))
    if (endings.includes(now.state) || performance.now() > until) return now
    await delay(100)
  }
}

async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (const until = performance.now() + patienceMs; ; await delay(200)) {
    try {
      return await ask()
    } catch (error) {
      if (performance.now() > until) throw error
    }
  }
}

/** The ledger's word against the repository and the stand-in's journal. */
function checkRun(fleet: Fleet, run: Accepted & RunNow, lines: readonly JournalLine[]): string[] {
  const repository = `acme/${run.routine}`
  const opened = lines.filter((line) => line.kind === 'pull' && line.act === 'opened' && line.repository === repository)
  const head = run.branch && git(fleet.github.repositories[repository]!, 'rev-parse', `refs/heads/${run.branch}`).trim()
  const branches = lines.filter((line) => line.kind === 'ref' && line.repository === repository)
  const names = new Set(branches.map((line) => (line.kind === 'ref' ? line.ref : '')))
  const promises: [boolean, string][] = [
    [run.state === 'published', `${run.routine} ${run.run} ended ${run.state}: ${run.reason} ${run.message}`],
    [opened.length === 1, `${run.routine} ${run.run}: ${opened.length} pull requests were opened`],
    [names.size === 1, `${run.routine} ${run.run}: ${names.size} branches were made`],
    [head === run.commit, `${run.routine} ${run.run}: the branch is at ${head}, the ledger says ${run.commit}`],
  ]
  return promises.filter(([kept]) => !kept).map(([, sentence]) => sentence)
}

/** A fault may cost one more start, and a second where its end met another; more is a loop that costs money. */
function checkStarts(run: string, starts: number): string[] {
  return starts >= 1 && starts <= 3 ? [] : [`${run}: its agent was started ${starts} times`]
}

async function checkNothingLeft(runs: readonly string[]): Promise<string[]> {
  for (const until = performance.now() + 5000; ; await delay(100)) {
    const left = (await findMarked('OVERNIGHT_RUN')).filter(({ value }) => runs.includes(value))
    if (left.length === 0) return []
    if (performance.now() > until)
      return left.map(({ pid, value }) => `process ${pid} of the ended run ${value} still lives`)
  }
}
