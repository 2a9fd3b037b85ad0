import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { steps } from '../../src/runs/task.ts'
import { createRepository, git } from '../support/git-repository.ts'
import { putFreshLedger } from '../support/ledger-template.ts'
import { startService, untilSettled } from '../support/service-process.ts'

/** After `accepted` the answer is out and nothing else is known to have happened. */
export const crashPoints = ['accepted', ...steps] as const
export type CrashPoint = (typeof crashPoints)[number]

/** From here on the agent's ending is recorded, and it must not be started again. */
const agentIsDone = steps.slice(steps.indexOf('exit_recorded')) as readonly string[]

export type AgentEnding = 'succeeds' | 'fails'

export type Crashes = AsyncDisposable & {
  /**
   * One run; the service is killed (-9) when the run reaches `point`, and started again. Answers every promise that was
   * broken, as sentences: the harness's own journal (what the agent wrote) is compared with ledger and repository. Once a
   * point and ending.
   */
  crashAt(point: CrashPoint, ending?: AgentEnding): Promise<string[]>
}

/** One service after the other on one data folder: who takes over from the last one that was killed is the next to be. */
export async function openCrashes(): Promise<Crashes> {
  const place = await mkdtemp(join(tmpdir(), 'overnight-crash-'))
  const { repository, routines, data, journalOf } = await furnish(place)
  const [script, when] = [resolve(import.meta.dirname, 'crashing-service.ts'), join(place, 'crash-at')]
  const start = () => startService({ data, routines, script, env: { CRASH_AT: when } })
  const state = { service: await start() }

  /** Answers the run. The answer itself may be cut off by the kill: the key finds it again, which is what a client would do. */
  async function killedAt(point: CrashPoint, routine: string): Promise<string> {
    const fire = () =>
      state.service.post<{ run: string }>(`/v1/routines/${routine}/fire`, {}, { 'idempotency-key': `crash-${routine}` })
    if (point !== 'accepted') await writeFile(when, point)
    const fired = await fire().catch((error: unknown) => {
      if (error instanceof TypeError) return undefined
      throw error
    })
    if (point === 'accepted') state.service.kill('SIGKILL')
    const { signal } = await state.service.exit
    if (signal !== 'SIGKILL') throw new Error(`the service was not killed at ${point}: ${state.service.log()}`)
    state.service = await start()
    return (fired ?? (await fire())).run
  }

  return {
    async crashAt(point, ending = 'succeeds') {
      const routine = routineOf(point, ending)
      const run = await killedAt(point, routine)
      const ended = await untilSettled(state.service, run)
      const mine = `overnight/${routine}/`
      const all = (await state.service.get<{ pulls: { head: string; branch: string }[] }>('/v1/pulls')).pulls
      const pulls = all.filter(({ branch }) => branch.startsWith(mine))
      const branches = git(repository, 'for-each-ref', '--format=%(objectname) %(refname:short)', `refs/heads/${mine}`)
        .split('\n')
        .filter(Boolean)
      const linesOf = async (file: string) => (await readFile(file, 'utf8')).split('\n').filter(Boolean).length
      const starts = await linesOf(journalOf(routine))
      const setups = point === 'set_up' ? await linesOf(`${journalOf(routine)}.setup`) : 2
      const left = await leftIn(join(data, 'work'))
      const promises =
        ending === 'succeeds' ? published({ ended, pulls, branches }) : failed({ ended, pulls, branches })
      promises.push(
        [starts >= 1 && starts <= 2, `the agent was started ${starts} times`],
        [!agentIsDone.includes(point) || starts === 1, 'the agent was started again after its end was recorded'],
        [setups === 2, `setup was done ${setups} times, and not anew for the copy of the second attempt`],
        [left.length === 0, `left in the work folder: ${left.join(', ')}`],
      )
      return promises.filter(([kept]) => !kept).map(([, otherwise]) => `${point}: ${otherwise}`)
    },
    async [Symbol.asyncDispose]() {
      await state.service[Symbol.asyncDispose]()
      await rm(place, { recursive: true, force: true })
    },
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

const routineOf = (point: CrashPoint, ending: AgentEnding) => `${point.replaceAll('_', '-')}-${ending}`

async function furnish(place: string) {
  const [repository, routines, data] = [join(place, 'repository'), join(place, 'routines'), join(place, 'data')]
  await mkdir(routines)
  await mkdir(data)
  await putFreshLedger(join(data, 'ledger'))
  createRepository(repository, { 'notes.txt': 'b\na\nc\n' })
  const journalOf = (routine: string) => join(place, `${routine}.journal`)
  for (const ending of ['succeeds', 'fails'] as const) {
    for (const point of crashPoints) {
      const name = routineOf(point, ending)
      const command = JSON.stringify(['node', '-e', sorts(ending), journalOf(name)])
      const setup =
        point === 'set_up' ? { setup: `[{ run: 'touch .git/ready && echo done >> ${journalOf(name)}.setup' }]` } : {}
      const keys = {
        description: 'Sorts the notes',
        repository: JSON.stringify(repository),
        sandbox: 'process',
        ...setup,
      }
      const matter = Object.entries({ ...keys, engine: `{ name: command, command: ${command} }` })
      await writeFile(
        join(routines, `${name}.md`),
        `---\n${matter.map(([key, value]) => `${key}: ${value}\n`).join('')}---\n`,
      )
    }
  }
  return { repository, routines, data, journalOf }
}

/** `process` confines nothing, so the agent can keep a journal outside of everything that is compared. */
const sorts = (ending: AgentEnding) =>
  `require('fs').appendFileSync(process.argv[1], 'started\\n'); const f = 'notes.txt'; const { readFileSync, writeFileSync } = require('fs'); writeFileSync(f, readFileSync(f, 'utf8').trim().split('\\n').sort().join('\\n') + '\\n'); console.log('Sorted the notes of the repository')${ending === 'fails' ? '; process.exit(3)' : ''}`
