import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { steps, type Step } from '../../src/runs/task.ts'
import { createRepository, git } from '../support/git-repository.ts'
import { putFreshLedger } from '../support/ledger-template.ts'
import { startService, untilSettled } from '../support/service-process.ts'

/** After `accepted` the answer is out and nothing else is known to have happened. */
export const crashPoints = ['accepted', ...steps] as const
export type CrashPoint = (typeof crashPoints)[number]

/** From here on the agent's ending is recorded, and it must not be started again. */
const agentIsDone = steps.slice(steps.indexOf('exit_recorded')) as readonly string[]

export type AgentEnding = 'succeeds' | 'fails'

/**
 * One run; the service is killed (-9) when the run reaches `point`, and started again. Answers every promise that was
 * broken, as sentences: the harness's own journal (what the agent wrote) is compared with ledger and repository.
 */
export async function crashAt(point: CrashPoint, ending: AgentEnding = 'succeeds'): Promise<string[]> {
  const place = await mkdtemp(join(tmpdir(), 'overnight-crash-'))
  try {
    const { repository, routines, data, journal } = await furnish(place, ending)
    const script = resolve(import.meta.dirname, 'crashing-service.ts')
    const run = await killedAt(point, { data, routines, script })
    await using service = await startService({ data, routines, script })
    const ended = await untilSettled(service, run)
    const { pulls } = await service.get<{ pulls: { number: number; head: string; branch: string }[] }>('/v1/pulls')
    const branches = git(repository, 'for-each-ref', '--format=%(objectname) %(refname:short)', 'refs/heads/overnight')
      .split('\n')
      .filter(Boolean)
    const starts = (await readFile(journal, 'utf8')).split('\n').filter(Boolean).length
    const left = await leftIn(join(data, 'work'))
    const promises = ending === 'succeeds' ? published({ ended, pulls, branches }) : failed({ ended, pulls, branches })
    promises.push(
      [starts >= 1 && starts <= 2, `the agent was started ${starts} times`],
      [!agentIsDone.includes(point) || starts === 1, 'the agent was started again after its end was recorded'],
      [left.length === 0, `left in the work folder: ${left.join(', ')}`],
    )
    return promises.filter(([kept]) => !kept).map(([, otherwise]) => `${point}: ${otherwise}`)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

type Promised = [kept: boolean, otherwise: string]
type Outcome = {
  ended: Awaited<ReturnType<typeof untilSettled>>
  pulls: readonly { head: string; branch: string }[]
  branches: readonly string[]
}

function published({ ended, pulls, branches }: Outcome): Promised[] {
  const [pull] = pulls
  return [
    [ended.state === 'published', `the run ended ${ended.state}: ${ended.reason} ${ended.message}`],
    [pulls.length === 1, `${pulls.length} pull requests`],
    [branches.length === 1, `${branches.length} branches: ${branches.join(', ')}`],
    [branches[0] === `${pull?.head} ${pull?.branch}`, `the branch ${branches[0]} is not at the head ${pull?.head}`],
    [pull?.head === ended.commit, `the run's commit ${ended.commit} is not the pull request's`],
  ]
}

function failed({ ended, pulls, branches }: Outcome): Promised[] {
  return [
    [ended.reason === 'agent_exit', `the run ended ${ended.state}: ${ended.reason} ${ended.message}`],
    [pulls.length === 0 && branches.length === 0, `a failed agent's change was published: ${branches.join(', ')}`],
    [ended.files === 1, 'what it had changed was not kept'],
  ]
}

/** What is still there some seconds after the end: folders go after the ending is on record. */
async function leftIn(folder: string): Promise<string[]> {
  const until = performance.now() + 5000
  for (;;) {
    const left = await readdir(folder).catch(() => [])
    if (left.length === 0 || performance.now() > until) return left
    await delay(50)
  }
}

async function killedAt(
  point: CrashPoint,
  options: { data: string; routines: string; script: string },
): Promise<string> {
  const crashAt: Step | '' = point === 'accepted' ? '' : point
  await using service = await startService({ ...options, env: { CRASH_AT: crashAt } })
  // The answer itself may be cut off by the kill: the key finds the run again, which is what a client would do.
  const key = `crash-${point}`
  const fired = await service
    .post<{ run: string }>('/v1/routines/stamp/fire', {}, { 'idempotency-key': key })
    .catch(() => undefined)
  if (point === 'accepted') service.kill('SIGKILL')
  const { signal } = await service.exit
  if (signal !== 'SIGKILL') throw new Error(`the service was not killed at ${point}: ${service.log()}`)
  if (fired) return fired.run
  await using again = await startService({ ...options, env: { CRASH_AT: 'never' } })
  return (await again.post<{ run: string }>('/v1/routines/stamp/fire', {}, { 'idempotency-key': key })).run
}

async function furnish(place: string, ending: AgentEnding) {
  const [repository, routines, data, journal] = ['repository', 'routines', 'data', 'journal'].map((name) =>
    join(place, name),
  ) as [string, string, string, string]
  await mkdir(routines)
  await mkdir(data)
  await putFreshLedger(join(data, 'ledger'))
  createRepository(repository, { 'notes.txt': 'b\na\nc\n' })
  // `process` confines nothing, so the agent can keep a journal outside of everything that is compared.
  const program = `require('fs').appendFileSync(process.argv[1], 'started\\n'); const f = 'notes.txt'; const { readFileSync, writeFileSync } = require('fs'); writeFileSync(f, readFileSync(f, 'utf8').trim().split('\\n').sort().join('\\n') + '\\n'); console.log('Sorted the notes of the repository')${ending === 'fails' ? '; process.exit(3)' : ''}`
  await writeFile(
    join(routines, 'stamp.md'),
    `---\ndescription: Sorts the notes\nrepository: ${JSON.stringify(repository)}\nsandbox: process\nengine: { name: command, command: ${JSON.stringify(['node', '-e', program, journal])} }\n---\n`,
  )
  return { repository, routines, data, journal }
}
