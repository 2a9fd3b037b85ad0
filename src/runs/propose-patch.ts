import { join } from 'node:path'
import type { Quarantine } from '../checkout/quarantine.ts'
import type { Ending } from '../ledger/held-run.ts'
import type { Run } from '../ledger/schema.ts'
import type { ProposeRequest } from '../publish/propose.ts'
import type { PatchToPublish } from './endings.ts'
import { findGoal, type Goal } from './goal.ts'
import type { Task } from './task.ts'

/** The end of a trial: what would be posted is on record, and nothing changes at the forge. */
export async function proposePatch(task: Task, patch: PatchToPublish): Promise<Ending> {
  const { run, held, tools, signal } = task
  if (patch.findings.length > 0) await held.tell({ kind: 'gate', data: { findings: patch.findings } })
  const now = await held.record({})
  const goal = await findGoal(task, now, patch)
  const folder = join(task.folder, 'quarantine')
  await using quarantine = await tools.checkouts.openQuarantine({ ...goal, patch, folder, signal })
  const found = await tools.propose(proposalOf(task, now, { patch, goal, quarantine }))
  if ('made' in found) return { state: 'unchanged', reason: null, message: `run ${run.id} has made ${found.made.url}` }
  const { wanted, open, holds } = found
  const { branch, base, title, body, draft, labels, reviewers } = wanted
  await held.record({
    proposal: {
      branch,
      base,
      title,
      body,
      draft,
      labels: [...labels],
      reviewers: [...reviewers],
      updates: open?.number ?? null,
    },
  })
  return endingOf(patch.findings, holds?.pull.number)
}

function endingOf(findings: PatchToPublish['findings'], held: number | undefined): Ending {
  const [first, ...more] = findings
  if (first) {
    const others = more.length > 0 ? ` (and ${more.length} more)` : ''
    return reported(`a person would be asked before it is published: ${first.message}${others}`)
  }
  return held === undefined
    ? reported('nothing is published')
    : reported(`the open pull request #${held} already holds this change`)
}
const reported = (what: string): Ending => ({ state: 'reported', reason: null, message: `a trial: ${what}` })

type Opened = { patch: PatchToPublish; goal: Goal; quarantine: Quarantine }

/** What is published for a run, or would be. `now`: the run as its work has left it. */
export function proposalOf({ run, routine, tools, signal }: Task, now: Run, opened: Opened): ProposeRequest {
  const { patch, quarantine, goal } = opened
  const { repository, base } = goal
  return {
    patch,
    quarantine,
    repository,
    base,
    run: { id: run.id, routine: routine.name, subject: run.subject, createdAt: run.createdAt, trigger: run.trigger },
    texts: { title: routine.pullRequest.title ?? now.title ?? routine.name, description: routine.description },
    redact: tools.redaction.all,
    options: routine.pullRequest,
    forge: tools.forgeOf(repository.name),
    lastPushed: (branch: string) => tools.lastPushed(repository.name, branch),
    signal,
  }
}
