import { setTimeout as pause } from 'node:timers/promises'
import type { PullDraft } from '../forge.ts'
import { PullAnswer, sentenceOf, statusOf } from './answers.ts'
import type { Client } from './client.ts'
import { ownOf } from './family.ts'

type Ensured = { pull: PullAnswer; notes: string[] }
type Place = { client: Client; owner: string; repo: string; pauseMs: number }

/** A pull request that was just made is not known everywhere at once: so often it is asked for again. */
const triesAtNew = 4

/**
 * Opens the branch's pull request, or brings the open one up to date. Safe to repeat: when GitHub says that there is one already
 * (an answer was lost, somebody was faster), that one is taken. Labels and reviewers never fail it; what could not be done is told.
 */
export async function ensurePullOnGitHub(place: Place, draft: PullDraft): Promise<Ensured> {
  const found = await findOpen(place, draft)
  const opened = found ? { pull: found, notes: [] } : await open(place, draft)
  // Asked again only by the same run: reviewers who have answered are not called a second time.
  const isNew = !found || found.body === draft.body
  const pull = await bringUpToDate(place, opened.pull, draft)
  const labels = await ensureLabels(place, pull, draft.labels)
  const reviewers = isNew ? await ensureReviewers(place, pull, draft.reviewers) : []
  return { pull, notes: [...opened.notes, ...labels, ...reviewers] }
}

async function findOpen({ client, owner, repo }: Place, draft: PullDraft): Promise<PullAnswer | undefined> {
  const { branch, base } = draft
  const answer = await client.rest.pulls.list({ owner, repo, head: `${owner}:${branch}`, state: 'open', per_page: 100 })
  const pulls = ownOf(PullAnswer.array().parse(answer.data), draft.repository.name)
  return pulls.find((pull) => pull.base.ref === base) ?? pulls[0]
}

async function open(place: Place, draft: PullDraft): Promise<Ensured> {
  const { client, owner, repo } = place
  const { title, body, base, branch } = draft
  const create = async (asDraft: boolean) => {
    const wanted = { owner, repo, title, body, base, head: `${owner}:${branch}`, draft: asDraft }
    return PullAnswer.parse((await client.rest.pulls.create(wanted)).data)
  }
  const openAs = async (asDraft: boolean): Promise<Ensured> => ({
    pull: await untilKnown(place, () => create(asDraft)),
    notes: [],
  })
  try {
    return await openAs(draft.draft)
  } catch (error) {
    const said = sentenceOf(error)
    if (/already exists/i.test(said)) {
      const found = await findOpen(place, draft)
      if (found) return { pull: found, notes: [] }
    }
    if (!draft.draft || !/draft/i.test(said)) throw error
    const { pull } = await openAs(false)
    return { pull, notes: ['the pull request is no draft: the repository does not support drafts'] }
  }
}

/** Right after a push, GitHub may not know the branch yet, and right after the opening not the pull request. */
async function untilKnown<T>({ pauseMs }: Place, act: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await act()
    } catch (error) {
      const isNew = statusOf(error) === 422 && /Could not resolve to a node|head invalid/i.test(sentenceOf(error))
      if (!isNew || tried === triesAtNew) throw error
      await pause(pauseMs * 2 ** (tried - 1))
    }
  }
}

async function bringUpToDate({ client, owner, repo }: Place, pull: PullAnswer, draft: PullDraft): Promise<PullAnswer> {
  const { title, body, base } = draft
  if (pull.title === title && pull.body === body && pull.base.ref === base) return pull
  const change = { owner, repo, pull_number: pull.number, title, body, base }
  return PullAnswer.parse((await client.rest.pulls.update(change)).data)
}

async function ensureLabels(place: Place, pull: PullAnswer, wanted: readonly string[]): Promise<string[]> {
  const { client, owner, repo } = place
  const there = new Set(pull.labels.map(({ name }) => name.toLowerCase()))
  const labels = wanted.filter((label) => !there.has(label.toLowerCase()))
  if (labels.length === 0) return []
  const about = { owner, repo, issue_number: pull.number }
  return told(`the labels ${labels.join(', ')} could not be set`, () =>
    untilKnown(place, () => client.rest.issues.addLabels({ ...about, labels })),
  )
}

async function ensureReviewers(place: Place, pull: PullAnswer, wanted: readonly string[]): Promise<string[]> {
  const { client, owner, repo } = place
  const there = new Set((pull.requested_reviewers ?? []).map(({ login }) => login.toLowerCase()))
  const missing = wanted.filter((reviewer) => !there.has(reviewer.toLowerCase()))
  const notes: string[] = []
  // One by one: GitHub asks nobody when one of the names is wrong.
  for (const reviewer of missing) {
    const team = reviewer.split('/')[1]
    const people = team === undefined ? { reviewers: [reviewer] } : { team_reviewers: [team] }
    const ask = () => client.rest.pulls.requestReviewers({ owner, repo, pull_number: pull.number, ...people })
    notes.push(...(await told(`${reviewer} could not be asked for a review`, () => untilKnown(place, ask))))
  }
  return notes
}

/** A refusal is a note; a limit or a server that is down is not, because trying again helps. */
async function told(note: string, act: () => Promise<unknown>): Promise<string[]> {
  try {
    await act()
    return []
  } catch (error) {
    const status = statusOf(error)
    const isRefusal = status === 404 || status === 422 || (status === 403 && !/rate limit/i.test(sentenceOf(error)))
    if (!isRefusal) throw error
    return [`${note}: ${sentenceOf(error)}`]
  }
}
