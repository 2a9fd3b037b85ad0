import type { Comment } from '../forges/github/comments.ts'
import { neutralise } from './neutralise.ts'

/** `text` is Markdown, and may hold what people wrote; `isNews`: false = only a comment that is there already says it. */
export type PlanFacts = { pull: number; commit: string; folder: string; text: string; isNews: boolean }

/** GitHub takes 65,536 characters, and making text harmless at most doubles it. */
export const planCharacters = 25_000

/** The one comment on a pull request that tells what merging it would change. */
export function planComment({ pull, commit, folder, text, isNews }: PlanFacts): Comment {
  const marker = `<!-- overnight: plan ${encodeURIComponent(folder)} -->`
  const footer = `*Of ${commit}, compared with what is in force. Nothing of it has run.*`
  return { pull, marker, body: [neutralise(text).text.trim(), footer, marker].join('\n\n'), onlyUpdate: !isNews }
}
