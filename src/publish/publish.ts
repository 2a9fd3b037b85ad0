import { identity } from '../checkout/git.ts'
import type { Patch } from '../checkout/patch.ts'
import type { CommitFacts, Quarantine } from '../checkout/quarantine.ts'
import { StepFailed } from '../errors.ts'
import type { Forge, Pull, Repository } from '../forges/forge.ts'
import { commitMessage, pullBody, pullTitle, type RunFacts } from './message.ts'
import { branchPrefix, chooseDestination, type Destination, findOwnPull } from './subject.ts'

export type PublishRequest = {
  run: { id: string; routine: string; subject: string; createdAt: Date; trigger: string }
  /** May hold an agent's words: they are redacted and made harmless here. */
  texts: { title: string; description: string }
  redact: <Told>(told: Told) => Told
  options: { draft: boolean; labels: readonly string[]; reviewers: readonly string[] }
  repository: Repository
  /** The branch the pull request goes to. */
  base: string
  patch: Pick<Patch, 'base' | 'tree'>
  quarantine: Quarantine
  forge: Forge
  /** The head that we last pushed to this branch, as the ledger knows it. */
  lastPushed: (branch: string) => Promise<string | undefined>
  /** Asked before each change at the forge: rejects when the run is no longer this worker's to publish. */
  confirm: () => Promise<unknown>
  signal: AbortSignal
  /** Called when a step's effect is on the forge. */
  reached?: (step: 'pushed' | 'pull_ensured') => Promise<void> | void
}

export type Published = { state: 'published' | 'unchanged'; branch: string; commit: string; pull: Pull }

/**
 * The patch as one commit on its base, on the subject's branch, with one pull request. Safe to repeat at any point: branch, commit
 * and pull request are found again on the forge. Throws StepFailed: `branch_has_other_commits`, `push_refused`, `forge_unavailable`.
 */
export async function publish(request: PublishRequest): Promise<Published> {
  const { run, repository, forge, quarantine, signal } = request
  const pulls = await forge.findPulls(repository, branchPrefix(run.routine, run.subject), signal)
  const own = findOwnPull(pulls, run.id)
  if (own && own.state !== 'open') return { state: 'published', branch: own.branch, commit: own.head, pull: own }

  const destination = chooseDestination(run.routine, run.subject, pulls)
  const { branch, open } = destination
  const facts = await factsOf(request, destination)
  const commit = await quarantine.commit({
    parent: request.patch.base,
    message: commitMessage(facts),
    date: run.createdAt,
  })
  const head = await forge.findHead(repository, branch, signal)
  if (head !== undefined && head !== commit) {
    const found = await requireOurs(request, branch, head)
    if (open && found.tree === request.patch.tree) return { state: 'unchanged', branch, commit: head, pull: open }
  }
  await request.confirm()
  await forge.ensureBranch({ repository, branch, commit, expected: head ?? null, gitDir: quarantine.gitDir, signal })
  await request.reached?.('pushed')
  await request.confirm()
  const { draft, labels, reviewers } = request.options
  const wanted = {
    draft,
    labels,
    reviewers,
    repository,
    branch,
    base: request.base,
    head: commit,
    title: pullTitle(facts),
    body: pullBody(facts),
    routine: run.routine,
    subject: destination.subject,
    run: run.id,
  }
  const pull = await forge.ensurePull(wanted, signal)
  await request.reached?.('pull_ensured')
  return { state: 'published', branch, commit, pull }
}

async function factsOf(
  { run, texts, redact, quarantine }: PublishRequest,
  { subject }: Destination,
): Promise<RunFacts> {
  const { id, routine, trigger } = run
  return { id, routine, trigger, subject, ...redact({ ...texts, changes: await quarantine.changes() }) }
}

/** What stands on the branch may be replaced only when it is known to be ours. */
async function requireOurs(request: PublishRequest, branch: string, head: string): Promise<CommitFacts> {
  const { quarantine, lastPushed } = request
  const found = await quarantine.findCommit(head)
  if (found === undefined) {
    throw new StepFailed('forge_unavailable', `the head of ${branch} could not be read`, { retryable: true })
  }
  if (head === (await lastPushed(branch)) || (await looksOurs(request, found))) return found
  throw new StepFailed('branch_has_other_commits', `${branch} holds commits that are not ours`, {
    hint: `merge or close its pull request, or delete the branch; the change of run ${request.run.id} is kept`,
  })
}

/** A push whose answer we never recorded: our identity and trailer, and nothing between it and the base's history. */
async function looksOurs(
  { quarantine, patch }: PublishRequest,
  { committerEmail, trailers, parents }: CommitFacts,
): Promise<boolean> {
  const [parent, ...others] = parents
  if (committerEmail !== identity.email || trailers.length !== 1 || parent === undefined || others.length > 0)
    return false
  return quarantine.isAncestor(parent, patch.base)
}
