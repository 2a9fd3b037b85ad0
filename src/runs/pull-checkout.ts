import { join } from 'node:path'
import type { Checkout, Mirror } from '../checkout/index.ts'
import { StepFailed } from '../errors.ts'
import type { FoundPull, Repository } from '../forges/forge.ts'
import { pullIn } from './pull-subject.ts'
import type { Task } from './task.ts'

type Opened = { repository: Repository; mirror: Mirror }

/** The pull request that a run is about, as it is now. Throws StepFailed `no_pull_request`, `fork`. */
export async function pullOf({ run, routine, tools, signal }: Task, repository: Repository): Promise<FoundPull> {
  const number = pullIn(run.subject)
  if (number === undefined) {
    throw new StepFailed('no_pull_request', 'the run starts from a pull request, and what fired it is about none', {
      hint: 'let an event of a pull request fire it, or a comment on one, or name one: --pull 7',
    })
  }
  const found = await tools.forgeOf(repository.name).findPull(repository, number, signal)
  if (!found) throw new StepFailed('no_pull_request', `${repository.name} has no pull request #${number}`)
  // Of some events it is not told whether they come from a fork, and several rules may have let this one in.
  if (found.fork && !routine.github.some(({ allow }) => allow.forks)) {
    throw new StepFailed('fork', `pull request #${number} is from a fork, and \`allow: { forks: true }\` is not set`)
  }
  return found
}

/**
 * The pull request in a private copy, as it is when the run starts: what was pushed since the event is in it. What would steer an
 * agent is the base's.
 */
export async function checkOutPull(task: Task, { repository, mirror }: Opened): Promise<Checkout> {
  const { routine, held, tools, signal, folder } = task
  const { number, ref, fork, state, base: target } = await pullOf(task, repository)
  const from = await tools.checkouts.resolveBase(mirror, routine.base)
  const copy = { mirror, repository, ref, from, folder: join(folder, 'pull'), signal }
  const pull = await tools.checkouts.openPullCopy(copy)
  const { commit } = pull.head
  await held.record({ repository: repository.name, base: `pull/${number}/head`, baseCommit: commit, exit: null })
  const asItIs = [fork ? ', from a fork' : '', state === 'open' ? '' : `, which is ${state} by now`].join('')
  const notes = [`starts from pull request #${number} at ${commit}${asItIs}`, ...told(pull.replaced, from.branch)]
  for (const text of notes) await held.tell({ kind: 'note', data: { text } })
  // A branch that was deleted closed its pull requests.
  const into = await tools.checkouts.resolveBase(mirror, target).catch(() => from)
  const base = { branch: `pr-${number}`, commit: pull.commit }
  const request = { mirror, base, pull: { ...pull, into }, folder: join(folder, 'checkout'), signal }
  return tools.checkouts.createCheckout(request)
}

const namesTold = 20

function told(replaced: readonly string[], branch: string): string[] {
  if (replaced.length === 0) return []
  const names = replaced
    .slice(0, namesTold)
    .map((name) => (/^[\w./-]{1,100}$/.test(name) ? name : JSON.stringify(name)))
  const more = replaced.length > namesTold ? `, and ${replaced.length - namesTold} more` : ''
  return [`agent configuration of the pull request was replaced from ${branch}: ${names.join(', ')}${more}`]
}
