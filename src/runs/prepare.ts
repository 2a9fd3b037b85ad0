import { dirname, join } from 'node:path'
import { StepFailed } from '../errors.ts'
import type { Checkout, Mirror } from '../checkout/index.ts'
import type { Repository } from '../forges/forge.ts'
import type { AgentExit } from './endings.ts'
import { checkOutPull } from './pull-checkout.ts'
import type { Task } from './task.ts'

export type Prepared = {
  repository: Repository
  mirror: Mirror
  checkout: Checkout
  /** Strangers may have written what the run starts from. */
  trusted: boolean
  /** Set when an earlier worker saw the agent end and the checkout is still here: it is not started again. */
  exit: AgentExit | null
}

export async function openRepository({
  run,
  routine,
  tools,
  signal,
}: Task): Promise<{ repository: Repository; mirror: Mirror }> {
  const wanted = run.repositoryOverride ?? routine.repository
  if (wanted === null) {
    throw new StepFailed('no_checkout', 'the routine names no repository', {
      hint: 'add `repository:` to its front matter',
    })
  }
  const repository = await tools.forgeOf(wanted).locate(wanted, dirname(routine.file), signal)
  const mirror = await tools.checkouts.ensureMirror({ root: tools.mirrorsDir, repository, signal })
  return { repository, mirror }
}

/** The repository at its base in a private copy, made anew unless the agent has already finished in it. */
export async function prepare(task: Task): Promise<Prepared> {
  const { run, routine, held, tools } = task
  await held.advance('preparing')
  const { repository, mirror } = await openRepository(task)
  for (const text of repository.notes ?? []) await held.tell({ kind: 'note', data: { text } })
  const kept = task.endedIn === null ? undefined : await tools.checkouts.findCheckout(join(task.endedIn, 'checkout'))
  const opened = { repository, mirror, trusted: routine.checkout === 'base' }
  if (kept) return { ...opened, checkout: kept, exit: run.exit }
  const checkout = await (opened.trusted ? checkOutBase : checkOutPull)(task, opened)
  await tools.reached('checked_out', run.id)
  return { ...opened, checkout, exit: null }
}

async function checkOutBase(
  { routine, held, tools, signal, folder }: Task,
  { repository, mirror }: Pick<Prepared, 'repository' | 'mirror'>,
): Promise<Checkout> {
  const base = await tools.checkouts.resolveBase(mirror, routine.base)
  // Said before the copy is made: an ending seen in an earlier copy must never be taken for one in this.
  await held.record({ repository: repository.name, base: base.branch, baseCommit: base.commit, exit: null })
  return tools.checkouts.createCheckout({ mirror, base, folder: join(folder, 'checkout'), signal })
}
