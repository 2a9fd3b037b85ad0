import type { Ending } from '../ledger/held-run.ts'
import { collect } from './collect.ts'
import { afterAgent, firstUnavailable, notAvailable, spentBefore, type PatchToPublish } from './endings.ts'
import { prepare } from './prepare.ts'
import { proposePatch } from './propose-patch.ts'
import { publishPatch } from './publish-patch.ts'
import type { Task } from './task.ts'
import { work } from './work.ts'

/**
 * The pipeline of one run: checkout → sandbox → engine → collect → gate → publish. Each step is recorded and safe to
 * repeat; what an earlier worker finished is not done again: a stored patch leads straight to the gate, a recorded exit
 * with its checkout straight to collecting. Returns how the run ends (or rests); the caller writes it.
 */
export async function perform(task: Task): Promise<Ending> {
  const { run, routine, tools } = task
  const unavailable = firstUnavailable(run, routine)
  if (unavailable) return notAvailable(unavailable)
  const stored = await tools.patchOf(run.id)
  if (stored) return publishOrEnd(task, afterAgent(run.exit!, stored))

  const prepared = await prepare(task)
  const broke = prepared.exit ? undefined : spentBefore(run, routine)
  if (broke) return broke
  const exit = prepared.exit ?? (await work(task, prepared))
  return publishOrEnd(task, afterAgent(exit, await collect(task, prepared, exit)))
}

function publishOrEnd(task: Task, next: Ending | PatchToPublish): Promise<Ending> | Ending {
  if (!('pack' in next)) return next
  return task.run.trial ? proposePatch(task, next) : publishPatch(task, next)
}
