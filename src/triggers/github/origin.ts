import type { OutsideEvent } from '../source.ts'
import { textAt, valueAt } from '../webhook/places.ts'

/** What GitHub knows, where an event does not say whether it comes from a fork: of a pull request, or of a commit on a branch. */
export type AskedOf = { pull: number } | { branch: string; commit: string }
/** What must be known of an event before anybody is asked. */
export type Origin = {
  sender: string | null
  isBot: boolean
  isFork: boolean | AskedOf
  /** The branch it is about, of the repository itself. */
  branch: string | null
  commit: string | null
  pull: number | null
}

/** Everything that our branches are recognised by. */
export const ourBranch = /^overnight\/[a-z0-9-]+\/./

type At = (path: string) => string | undefined
type Told = Pick<OutsideEvent, 'sender' | 'payload' | 'event' | 'subject'>

export function originOf({ sender, payload, event, subject }: Told): Origin {
  const at: At = (path) => textAt(payload, path.split('.'))
  const isBot = at('sender.type') === 'Bot' || (sender?.endsWith('[bot]') ?? false)
  const [branch, commit] = [branchIn(payload, at) ?? null, commitIn(at) ?? null]
  const pull = subject?.startsWith('pr-') ? Number(subject.slice('pr-'.length)) : null
  return { sender, isBot, isFork: isForkIn(at, { payload, event, branch, commit, pull }), branch, commit, pull }
}

type About = Pick<Origin, 'branch' | 'commit' | 'pull'> & Pick<OutsideEvent, 'payload' | 'event'>

/** What cannot be told and cannot be asked is a fork. A fork that was deleted has no repository any more. */
function isForkIn(at: At, { payload, event, ...about }: About): boolean | AskedOf {
  const isThere = (path: string) => valueAt(payload, path.split('.')) !== undefined
  if (isThere('pull_request.head')) {
    const base = at('pull_request.base.repo.id') ?? at('repository.id')
    return at('pull_request.head.repo.id') === undefined || at('pull_request.head.repo.id') !== base
  }
  if (event === 'workflow_run' || isThere('workflow_run.head_repository'))
    return at('workflow_run.head_repository.id') !== at('repository.id')
  // Of commits that are pushed to a fork these name no branch. https://docs.github.com/en/rest/checks/suites
  if (['check_run', 'check_suite', 'status'].includes(event)) return about.branch === null
  if (event === 'workflow_job' || at('workflow_run.id') !== undefined) return ofCommit(about)
  return ofIssue(payload, about.pull)
}

function ofIssue(payload: OutsideEvent['payload'], pull: number | null): boolean | AskedOf {
  const isPull = (valueAt(payload, ['issue', 'pull_request']) ?? null) !== null
  return isPull && (pull === null || { pull })
}

/** A fork's branch may have the name of one of ours. */
function ofCommit({ branch, commit }: Pick<About, 'branch' | 'commit'>): boolean | AskedOf {
  return branch === null || commit === null || { branch, commit }
}

const branchPlaces = [
  'pull_request.head.ref',
  'check_run.check_suite.head_branch',
  'check_suite.head_branch',
  'workflow_run.head_branch',
  'workflow_job.head_branch',
]

function branchIn(payload: OutsideEvent['payload'], at: At): string | undefined {
  const told = firstOf(branchPlaces, at) ?? branchOfStatus(payload, at)
  // A deployment may be of a commit, which is written there, too.
  const deployed = at('deployment.ref') === at('deployment.sha') ? undefined : at('deployment.ref')
  return (told ?? deployed ?? at('ref'))?.replace(/^refs\/heads\//, '')
}

/**
 * Up to ten branches that have the commit, as their head or below it. It is of our branch where that stands at it, or where no other
 * has it; what we started from is of another.
 */
function branchOfStatus({ branches }: OutsideEvent['payload'], at: At): string | undefined {
  const named = (Array.isArray(branches) ? branches : []).flatMap((_, index) => {
    const name = at(`branches.${index}.name`)
    return name === undefined ? [] : [{ name, isHead: at(`branches.${index}.commit.sha`) === at('sha') }]
  })
  const isOurs = ({ name }: { name: string }) => ourBranch.test(name)
  const found = named.find((one) => one.isHead && isOurs(one)) ?? named.find((one) => !isOurs(one)) ?? named[0]
  return found?.name
}

const commitPlaces = [
  'pull_request.head.sha',
  'check_run.head_sha',
  'check_suite.head_sha',
  'workflow_run.head_sha',
  'workflow_job.head_sha',
  'deployment.sha',
  'comment.commit_id',
  'sha',
  'after',
]
const commitIn = (at: At) => firstOf(commitPlaces, at)

function firstOf(places: readonly string[], at: At): string | undefined {
  for (const place of places) {
    const found = at(place)
    if (found !== undefined) return found
  }
  return undefined
}
