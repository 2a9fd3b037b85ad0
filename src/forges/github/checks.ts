import { createHash } from 'node:crypto'
import { CheckRunsAnswer, StatusAnswer } from './answers.ts'
import type { Client } from './client.ts'

type CheckAnnotation = { path: string; line: number; message: string }
/** What a commit is told about itself. The texts are Markdown (`summary`) and plain words; whoever writes them made them harmless. */
export type Check = {
  name: string
  commit: string
  conclusion: 'success' | 'failure'
  title: string
  summary: string
  /** At most 50: so many GitHub takes at once, and what is added later cannot be taken back. */
  annotations: readonly CheckAnnotation[]
}
type Place = { client: Client; owner: string; repo: string }

/** https://docs.github.com/en/rest/commits/statuses: no longer than this. */
const statusCharacters = 140

/**
 * Safe to repeat: a check run that says the same is found by name and commit. Annotations stay on a check run for ever, so another
 * verdict is another run of the check; GitHub counts the newest.
 */
export async function ensureCheckRun({ client, owner, repo }: Place, check: Check): Promise<void> {
  const { name, commit, conclusion, title, summary, annotations } = check
  const answer = await client.rest.checks.listForRef({ owner, repo, ref: commit, check_name: name, filter: 'latest' })
  const digest = digestOf(check)
  if (CheckRunsAnswer.parse(answer.data).check_runs.some((run) => run.external_id === digest)) return
  await client.rest.checks.create({
    owner,
    repo,
    name,
    head_sha: commit,
    status: 'completed',
    conclusion,
    external_id: digest,
    output: {
      title,
      summary,
      annotations: annotations.map(({ path, line, message }) => {
        return { path, start_line: line, end_line: line, annotation_level: 'failure', message }
      }),
    },
  })
}

/** What a token may write instead, because check runs are for Apps alone. Safe to repeat. */
export async function ensureStatus({ client, owner, repo }: Place, check: Check): Promise<void> {
  const { name: context, commit, conclusion: state } = check
  const description = Array.from(check.title).slice(0, statusCharacters).join('')
  const answer = await client.rest.repos.listCommitStatusesForRef({ owner, repo, ref: commit, per_page: 100 })
  // Newest first: only the newest of a name counts.
  const found = StatusAnswer.array()
    .parse(answer.data)
    .find((status) => status.context === context)
  if (found?.state === state && found.description === description) return
  await client.rest.repos.createCommitStatus({ owner, repo, sha: commit, state, context, description })
}

/** The same words about the same commit; where they are found, everything was said. */
function digestOf(check: Check): string {
  return createHash('sha256').update(JSON.stringify(check)).digest('hex')
}
