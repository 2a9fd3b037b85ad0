import { identity } from '../checkout/git.ts'
import type { Patch } from '../checkout/patch.ts'
import type { CommitFacts, Quarantine } from '../checkout/quarantine.ts'
import { StepFailed } from '../errors.ts'
import type { Forge, Pull, Repository, PullDraft } from '../forges/forge.ts'
import { commitMessage, pullBody, pullTitle, type RunFacts } from './message.ts'
import { branchPrefix, chooseDestination, type Destination, findOwnPull } from './subject.ts'

export type ProposeRequest = {
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
  signal: AbortSignal
}

/** What publishing comes to. */
export type Proposal =
  /** This very run has made it already. */
  | { made: Pull }
  | {
      wanted: PullDraft
      /** The pull request that is updated; null = a new one. */
      open: Pull | null
      /** What the branch has now, and this replaces. */
      head: string | undefined
      /** The open pull request whose head already holds this change. */
      holds: { pull: Pull; head: string } | null
    }

/**
 * Everything that is decided before anything changes at the forge, as the forge is now. Throws StepFailed:
 * `branch_has_other_commits`, `forge_unavailable`.
 */
export async function propose(request: ProposeRequest): Promise<Proposal> {
  const { run, repository, forge, quarantine, signal } = request
  const pulls = await forge.findPulls(repository, branchPrefix(run.routine, run.subject), signal)
  const own = findOwnPull(pulls, run.id)
  if (own && own.state !== 'open') return { made: own }

  const destination = chooseDestination(run.routine, run.subject, pulls)
  const { branch, open, subject } = destination
  const facts = await factsOf(request, destination)
  const commit = await quarantine.commit({
    parent: request.patch.base,
    message: commitMessage(facts),
    date: run.createdAt,
  })
  const head = await forge.findHead(repository, branch, signal)
  const found = head === undefined || head === commit ? undefined : await requireOurs(request, branch, head)
  const wanted = {
    ...request.options,
    repository,
    branch,
    base: request.base,
    head: commit,
    title: pullTitle(facts),
    body: pullBody(facts),
    routine: run.routine,
    subject,
    run: run.id,
  }
  const holds = head !== undefined && open && found?.tree === request.patch.tree ? { pull: open, head } : null
  return { wanted, open, head, holds }
}

async function factsOf(
  { run, texts, redact, quarantine }: ProposeRequest,
  { subject }: Destination,
): Promise<RunFacts> {
  const { id, routine, trigger } = run
  return { id, routine, trigger, subject, ...redact({ ...texts, changes: await quarantine.changes() }) }
}

/** What stands on the branch may be replaced only when it is known to be ours. */
async function requireOurs(request: ProposeRequest, branch: string, head: string): Promise<CommitFacts> {
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
  { quarantine, patch }: ProposeRequest,
  { committerEmail, trailers, parents }: CommitFacts,
): Promise<boolean> {
  const [parent, ...others] = parents
  if (committerEmail !== identity.email || trailers.length !== 1 || parent === undefined || others.length > 0)
    return false
  return quarantine.isAncestor(parent, patch.base)
}
