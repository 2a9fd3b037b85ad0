import { join } from 'node:path'
import { StepFailed } from '../errors.ts'
import type { GateRules } from '../checkout/gate.ts'
import { isChanged } from '../routines/path-glob.ts'
import type { Routine } from '../routines/routine.ts'
import type { SandboxWish } from '../sandboxes/opener.ts'
import type { AgentExit, PatchToPublish } from './endings.ts'
import type { Prepared } from './prepare.ts'
import type { Task } from './task.ts'

/** After a time limit the run must end soon: what cannot be collected in this time is not kept. */
const afterTimeLimitMs = 10_000
const ordinaryMs = 10 * 60_000
const diffBytes = 1024 * 1024

/** What the agent left, as a stored patch; undefined when the tree is the base's. The agent's processes are dead by now. */
export async function collect(
  task: Task,
  { checkout, mirror }: Prepared,
  exit: AgentExit,
): Promise<PatchToPublish | undefined> {
  const { run, routine, held, tools } = task
  await held.advance('collecting')
  const timeUp = AbortSignal.timeout(exit.because === 'time_limit' ? afterTimeLimitMs : ordinaryMs)
  const signal = AbortSignal.any([task.signal, timeUp])
  try {
    await using sandbox = await tools.openSandbox(wishOf(task, exit), {
      run: run.id,
      mounts: tools.checkouts.mountsFor(checkout).collector,
      // An agent that wrote too much is judged by what it wrote, and that must be looked at.
      limits: { diskBytes: Infinity },
    })
    const found = await tools.checkouts.collectPatch({ checkout, sandbox, signal })
    await tools.reached('collected', run.id)
    const folder = join(task.folder, 'quarantine')
    const patch = found && (await tools.checkouts.asProposed({ checkout, mirror, patch: found, folder, signal }))
    if (!patch) return undefined

    const source = { ...mirror, gitDir: checkout.pull?.gitDir ?? mirror.gitDir }
    await using quarantine = await tools.checkouts.openQuarantine({ mirror: source, patch, folder, signal })
    const { changes, findings } = await tools.inspect(quarantine, rulesOf(routine), signal)
    const diff = await quarantine.diff(diffBytes)
    await held.storePatch({ ...patch, changes, findings, diff: diff.text, diffCut: diff.cut })
    await tools.reached('patch_stored', run.id)
    return { ...patch, findings }
  } catch (error) {
    task.signal.throwIfAborted()
    if (maySayLess(exit, error, timeUp)) return undefined
    throw error
  }
}

/** git meets a tree here that the agent wrote, so it is in the same walls, or in better ones than none. */
function wishOf({ run, routine }: Task, exit: Pick<AgentExit, 'sandbox'>): SandboxWish {
  const had = exit.sandbox ?? run.sandbox
  return { ...routine, sandbox: had === 'process' ? routine.sandbox : (had ?? routine.sandbox), had }
}

/** Of an agent that a limit ended people must hear which one, not that what it wrote without end cannot be kept. */
function maySayLess({ because, failure }: AgentExit, error: unknown, timeUp: AbortSignal): boolean {
  if (because === 'time_limit' && timeUp.aborted) return true
  return (
    (because === 'time_limit' || failure !== undefined) && error instanceof StepFailed && error.reason === 'too_large'
  )
}

function rulesOf({ gate: { paths, ...most } }: Pick<Routine, 'gate'>): GateRules {
  return { ...most, mayChange: (path) => paths === null || isChanged(paths, path) }
}
