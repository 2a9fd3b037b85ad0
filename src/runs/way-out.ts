import type { ConnectorsTold } from '../relay/environment.ts'
import { hostsOf } from '../routines/keys/network.ts'
import type { Sandbox } from '../sandboxes/sandbox.ts'
import type { Prepared } from './prepare.ts'
import type { createSpending } from './spending.ts'
import type { Task } from './task.ts'

/** What a run has of the outside while its agent works. Closing it tells the timeline what was reached. */
export type WayOut = AsyncDisposable & {
  /** What the sandbox leads commands to; nothing for a run that reaches nothing. */
  forward: { forward?: { socket: string } }
  modelToken: string | null
  /** Fires when it broke off by itself; its reason is what the run fails with. */
  lost: AbortSignal
  /** Where commands of this sandbox find the connectors of the run, as MCP clients read it; undefined = it has none. */
  connectors(sandbox: Pick<Sandbox, 'forwardedAt'>): ConnectorsTold | undefined
  /** What leads commands of this sandbox there. */
  environment(sandbox: Pick<Sandbox, 'name' | 'forwardedAt'>): Record<string, string>
}
type Means = {
  model: boolean
  prepared: Pick<Prepared, 'repository' | 'mirror'>
  spending: ReturnType<typeof createSpending>
}

/** Throws StepFailed('model_sign_in') when a model is needed and no key is configured, and StepFailed('connector') before any agent starts. */
export async function openWayOut(task: Task, { model, prepared, spending }: Means): Promise<WayOut> {
  const { run, routine, tools } = task
  const connectors = await tools.connectorsFor(routine, prepared.repository.name, { onlyReads: run.trial })
  if (!model && routine.network === 'none' && connectors.length === 0) return noWay
  const notes = createNotes(task)
  if (run.trial && connectors.length > 0)
    notes.tell('a trial: of the connectors only tools that change nothing are called')
  const relay = await tools.openRelay({
    run: run.id,
    repository: { gitDir: prepared.mirror.gitDir, url: prepared.repository.url },
    connectors,
    hosts: hostsOf(routine.network),
    tell: notes.tell,
    onUsage: model ? ({ usage }) => spending.used(usage) : undefined,
  })
  return {
    forward: { forward: { socket: relay.socket } },
    modelToken: model ? relay.token : null,
    lost: relay.lost,
    connectors: ({ forwardedAt }) => (forwardedAt === undefined ? undefined : relay.connectors(forwardedAt)),
    environment: ({ name, forwardedAt }) =>
      forwardedAt === undefined ? {} : relay.environment({ address: forwardedAt, isWalled: name !== 'process' }),
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      await notes.told()
    },
  }
}

const noWay: WayOut = {
  forward: {},
  modelToken: null,
  lost: new AbortController().signal,
  connectors: () => undefined,
  environment: () => ({}),
  [Symbol.asyncDispose]: async () => undefined,
}

/** Lines of the timeline, one after the other, for someone who does not wait. */
function createNotes({ held }: Pick<Task, 'held'>) {
  const state = { last: Promise.resolve() }
  return {
    tell(text: string): void {
      // A worker that lost the run may not write it, and hears so at its next step.
      state.last = state.last.then(() => held.tell({ kind: 'note', data: { text } })).catch(() => undefined)
    },
    told: (): Promise<void> => state.last,
  }
}
