import { GitFailed } from '../../checkout/git.ts'
import { StepFailed } from '../../errors.ts'
import { whyRefused } from '../push-local.ts'
import { certificateHint, permissionHint, signInHint, visibleHint } from './explain-api.ts'

type Meaning = (facts: { name: string; said: string; line: string; cause: GitFailed }) => StepFailed

const unnamedLimitMs = 60_000

export function isSignInFailure(stderr: string): boolean {
  // What follows `remote:` are the words of a hook, which may sign in elsewhere.
  return /^(?!remote:).*(Authentication failed|could not read (Username|Password)|returned error: 401|unable to read askpass)/m.test(
    stderr,
  )
}

/** What git's words mean, first match first. git is asked in English. */
const meanings: readonly (readonly [words: RegExp, meaning: Meaning])[] = [
  [
    /archived so it is read-only/,
    ({ name, cause }) =>
      new StepFailed('push_refused', `${name} is archived: nothing can be published there`, {
        hint: 'unarchive it, then retry the run',
        cause,
      }),
  ],
  [
    /GH001|exceeds GitHub's file size limit|returned error: 413|HTTP 413|pack exceeds maximum allowed size/,
    ({ name, said, cause }) =>
      new StepFailed('push_refused', `a file of the change is too large for ${name}: ${said}`, {
        hint: 'let the routine leave large files out',
        cause,
      }),
  ],
  [
    /without `?workflows?`? (permission|scope)/,
    ({ name, said, cause }) =>
      new StepFailed('push_refused', `${name} refused a change of its workflows: ${said}`, {
        hint: 'give the App or token the permission Workflows, or keep the routine out of .github/workflows',
        cause,
      }),
  ],
  [
    /GH006|GH013|[Pp]rotected branch|Repository rule violations/,
    ({ name, said, cause }) =>
      new StepFailed('push_refused', `${name} protects the branch: ${said}`, {
        hint: 'let the rules of the repository allow branches named overnight/**',
        cause,
      }),
  ],
  [
    /\[remote rejected\]|\[rejected\]/,
    ({ name, said, cause }) =>
      new StepFailed('push_refused', `${name} refused the branch: ${said}`, {
        hint: 'change what it says, then retry the run',
        cause,
      }),
  ],
  // Below the refusals: a hook may speak of limits, too.
  [
    /rate limit|returned error: 429/i,
    ({ name, cause }) =>
      new StepFailed('forge_unavailable', `GitHub limits our requests to ${name}`, {
        retryable: true,
        retryAfterMs: unnamedLimitMs,
        cause,
      }),
  ],
  [
    /certificate|SSL: no alternative|wrong version number/i,
    ({ name, line, cause }) =>
      new StepFailed('forge_unavailable', `the server of ${name} is not trusted: ${line}`, {
        hint: certificateHint,
        cause,
      }),
  ],
  [
    /returned error: 403/,
    ({ name, said, cause }) =>
      new StepFailed('forge_denied', `${name} does not let us in: ${said}`, { hint: permissionHint, cause }),
  ],
  [
    /returned error: 404|Repository not found|repository '.*' not found/i,
    ({ name, cause }) => new StepFailed('no_checkout', `${name} was not found`, { hint: visibleHint, cause }),
  ],
  [
    /returned error: 30\d|unable to update url base from redirection/,
    ({ name, cause }) =>
      new StepFailed('no_checkout', `${name} has moved`, {
        retryable: true,
        hint: 'write its new name in `repository:`',
        cause,
      }),
  ],
  [
    /returned error: 5\d\d|[Cc]ould not resolve|[Ff]ailed to connect|[Cc]ouldn't connect|[Cc]onnection|CONNECT tunnel|[Tt]imed? ?out|too slow|Empty reply|disconnect|early EOF|RPC failed|hung up|SSL|TLS|Recv failure|transfer closed|bad line length|expected flush|invalid index-pack/,
    ({ name, line, cause }) =>
      new StepFailed('forge_unavailable', `${name} could not be reached: ${line}`, { retryable: true, cause }),
  ],
]

/** What git's failure says about a repository on GitHub. */
export function explainGit(error: unknown, name: string): unknown {
  if (!(error instanceof GitFailed)) return error
  const { stderr, lastLine } = error
  if (/^(?!remote:).*No space left on device/m.test(stderr))
    return new StepFailed('disk_full', lastLine, { retryable: true, cause: error })
  if (isSignInFailure(stderr))
    return new StepFailed('forge_denied', `${name} does not accept our credentials`, { hint: signInHint, cause: error })
  const meaning = meanings.find(([words]) => words.test(stderr))?.[1]
  if (meaning) return meaning({ name, said: whyRefused(stderr), line: lastLine, cause: error })
  return new StepFailed('no_checkout', `${name} could not be read: ${lastLine}`, { retryable: true, cause: error })
}
