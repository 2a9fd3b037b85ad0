import { type Check, ensureCheckRun, ensureStatus } from './checks.ts'
import { createAsk } from './ask.ts'
import { apiOf, ordinaryPatience, type Patience } from './client.ts'
import { type Comment, ensureCommentOnGitHub } from './comments.ts'
import { createSignIn, type Credentials } from './sign-in.ts'

/** What people are told on GitHub beside pull requests. Each is found again there, and safe to tell twice. All throw StepFailed. */
export type GitHubNotices = {
  /** On a commit: a check run; with a token instead of an App a status. */
  ensureCheck(name: string, check: Check, signal: AbortSignal): Promise<void>
  /** On a pull request. */
  ensureComment(name: string, comment: Comment, signal: AbortSignal): Promise<void>
}

type NoticesOptions = {
  url: string
  auth: Credentials
  /** The account that we write as. */
  self(): Promise<{ login: string } | undefined>
  patience?: Partial<Patience>
}

/** undefined: nobody is signed in, and nothing can be told. */
export function createGitHubNotices({ url, auth, self, ...options }: NoticesOptions): GitHubNotices | undefined {
  if (auth === undefined) return undefined
  const patience = { ...ordinaryPatience, ...options.patience }
  const api = apiOf(url)
  const ask = createAsk({ api, patience, signIn: createSignIn({ credentials: auth, api, patience }) })
  const parts = (name: string) => {
    const [owner = '', repo = ''] = name.split('/')
    return { owner, repo }
  }
  const ensureVerdict = auth.kind === 'app' ? ensureCheckRun : ensureStatus
  return {
    ensureCheck: (name, check, signal) =>
      ask({
        name,
        purpose: 'check',
        doing: `setting the check of ${check.commit.slice(0, 12)} in`,
        act: (client) => ensureVerdict({ client, ...parts(name) }, check),
        signal,
      }),
    async ensureComment(name, comment, signal) {
      const { login = '' } = (await self()) ?? {}
      return ask({
        name,
        purpose: 'comment',
        doing: `commenting on pull request ${comment.pull} of`,
        act: (client) => ensureCommentOnGitHub({ client, self: login, ...parts(name) }, comment),
        signal,
      })
    },
  }
}
