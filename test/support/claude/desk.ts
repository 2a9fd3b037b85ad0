import { randomUUID } from 'node:crypto'
import { mkdtemp, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClaudeEngine } from '../../../src/engines/claude.ts'
import { findClaude } from '../../../src/engines/claude-program.ts'
import type { EngineEvent, EngineTask, Stopped } from '../../../src/engines/engine.ts'
import { createDial } from '../../../src/outgoing/dial.ts'
import { openRelay } from '../../../src/relay/relay.ts'
import type { UsageReport } from '../../../src/relay/usage.ts'
import { createBubblewrapDriver } from '../../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { createProcessDriver } from '../../../src/sandboxes/process.ts'
import { engineTask } from '../engine-task.ts'
import { createRepository, type Files } from '../git-repository.ts'
import { processesOf } from '../crew.ts'
import { claude } from './program.ts'
import { realKey } from './model.ts'

type Given = {
  model: string
  sandbox: 'process' | 'bubblewrap'
  files?: Files
  /** A program to start in place of the real one. */
  program?: string
}
type Telling = { events: EngineEvent[]; stopped: Stopped; session: string | undefined; costUsd: number | undefined }

/** A checkout, a sandbox, a relay and the real CLI at work there: what a run has, without the run. */
export type Desk = AsyncDisposable & {
  run: string
  folder: string
  checkout: string
  usages: UsageReport[]
  /** How often the operator's PATH was searched. */
  looked(): number
  /** Tells the agent what to do and hears it out. */
  tell(scenario: string, more?: Partial<EngineTask> & { onEvent?(event: EngineEvent): void }): Promise<Telling>
  read(name: string): Promise<string>
  /** Processes of it that live. */
  alive(): Promise<number[]>
}

export async function openDesk({ model, sandbox: kind, files, program }: Given): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-desk-'))
  const run = `at-${randomUUID().slice(0, 8)}`
  const checkout = createRepository(join(folder, 'checkout'), files)
  const task = engineTask({ sandbox: undefined as never, folder })
  for (const path of [task.home.own, task.home.trusted]) await mkdir(path)
  let looked = 0
  const engine = createClaudeEngine({
    path: claude.folder,
    retries: 1,
    find: async (path) => {
      looked += 1
      return program === undefined ? findClaude(path) : { path: program, version: '0' }
    },
  })
  const usages: UsageReport[] = []
  const upstream = { baseUrl: model, apiKey: realKey, oauthToken: undefined }
  const relay = await openRelay({
    run,
    model: { upstream, onUsage: (report) => usages.push(report) },
    hosts: new Set(),
    dial: createDial(),
    tell: () => undefined,
  })
  const driver = kind === 'process' ? createProcessDriver({ folder }) : createBubblewrapDriver()
  const { programs } = await engine.needs()
  const sandbox = await driver.open({
    run,
    mounts: [
      { path: checkout, write: true },
      { path: task.home.own, write: true },
      ...[task.home.trusted, ...programs].map((path) => ({ path, write: false })),
    ],
    forward: { socket: relay.socket },
  })
  return {
    run,
    folder,
    checkout,
    usages,
    looked: () => looked,
    async tell(scenario, { onEvent = () => undefined, ...more } = {}) {
      const events: EngineEvent[] = []
      const way = relay.environment({ address: sandbox.forwardedAt ?? '', isWalled: kind !== 'process' })
      const given = { ...task, programs, sandbox, cwd: checkout, modelToken: relay.token, way }
      for await (const event of engine.run({
        ...given,
        prompt: `SCENARIO:${scenario} CWD=${checkout} please`,
        ...more,
      })) {
        events.push(event)
        onEvent(event)
      }
      const last = events.at(-1)!
      if (!('stopped' in last)) throw new Error('the last event is not `stopped`')
      const session = events.findLast((event) => 'session' in event)?.session
      const bill = events.findLast((event) => 'sessionUpdate' in event && event.sessionUpdate === 'usage_update')
      const costUsd = bill && 'cost' in bill ? bill.cost.amount : undefined
      return { events, stopped: last.stopped, session, costUsd }
    },
    read: (name) => readFile(join(checkout, name), 'utf8'),
    alive: () => processesOf((environ) => environ.includes(`OVERNIGHT_RUN=${run}\0`), 'environ'),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]()
      await relay[Symbol.asyncDispose]()
      const left = (await readdir(tmpdir())).filter((name) => name.includes(run))
      await rm(folder, { recursive: true, force: true })
      if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
    },
  }
}
