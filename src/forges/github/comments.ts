import { CommentAnswer, statusOf } from './answers.ts'
import type { Client } from './client.ts'

/** One comment of ours on a pull request. `marker` is the HTML comment by which it is found again; the body ends with it. */
export type Comment = {
  pull: number
  marker: string
  body: string
  /** Nothing is said where nothing was said before: only a comment that is there is brought up to date. */
  onlyUpdate: boolean
}
type Place = { client: Client; owner: string; repo: string; self: string }

/**
 * Safe to repeat, and by several at once: who has written looks again, and of two comments the older one stays. Others may write our
 * marker; only what our own account (`self`) wrote is ours.
 */
export async function ensureCommentOnGitHub(place: Place, comment: Comment): Promise<void> {
  const { client, owner, repo } = place
  const { pull, body, onlyUpdate } = comment
  const [before] = await findOwn(place, comment)
  if (before) return bringUpToDate(place, before, body)
  if (onlyUpdate) return
  await client.rest.issues.createComment({ owner, repo, issue_number: pull, body })
  const [first, ...more] = await findOwn(place, comment)
  if (first && more.length > 0) {
    await bringUpToDate(place, first, body)
    for (const { id } of more) await remove(place, id)
  }
}

/** Oldest first. */
async function findOwn({ client, owner, repo, self }: Place, { pull, marker }: Comment): Promise<CommentAnswer[]> {
  const listed = await client.paginate(client.rest.issues.listComments, {
    owner,
    repo,
    issue_number: pull,
    per_page: 100,
  })
  const isOwn = ({ user, body }: CommentAnswer) =>
    user?.login.toLowerCase() === self.toLowerCase() && (body ?? '').trimEnd().endsWith(marker)
  return CommentAnswer.array()
    .parse(listed)
    .filter(isOwn)
    .sort((a, b) => a.id - b.id)
}

async function bringUpToDate({ client, owner, repo }: Place, found: CommentAnswer, body: string): Promise<void> {
  if (found.body?.trimEnd() === body.trimEnd()) return
  await client.rest.issues.updateComment({ owner, repo, comment_id: found.id, body })
}

/** Somebody else may have removed it at the same moment. */
async function remove({ client, owner, repo }: Place, id: number): Promise<void> {
  try {
    await client.rest.issues.deleteComment({ owner, repo, comment_id: id })
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
}
