import type { Delivery } from '../../ledger/schema.ts'
import { payloadOf } from '../payload.ts'
import type { OutsideEvent } from '../source.ts'
import { textAt } from '../webhook/places.ts'

/** Deeper than any event of GitHub's; what walks through a payload may do so step by step. */
const maxDepth = 100

/** What a delivery of GitHub's says. Pure. */
export function readGitHub(delivery: Pick<Delivery, 'id' | 'event' | 'body'>): OutsideEvent | { refused: string } {
  const payload = payloadOf(delivery)
  if (!payload) return { refused: 'it is not a JSON object' }
  if (isDeeperThan(maxDepth, payload)) return { refused: `it is nested more than ${maxDepth} deep` }
  const at = (path: string) => clean(textAt(payload, path.split('.')))
  return {
    delivery: delivery.id,
    source: 'github',
    event: delivery.event,
    payload,
    action: at('action'),
    repository: at('repository.full_name'),
    sender: at('sender.login'),
    subject: subjectOf(payload),
  }
}

/** What it is about: `pr-7`, `issue-12`; null for a push and everything else that is about no one thing. */
export function subjectOf(payload: Record<string, unknown>): string | null {
  const at = (path: string) => textAt(payload, path.split('.'))
  const number = (path: string) => /^[1-9]\d{0,9}$/.exec(at(path) ?? '')?.[0]
  const pull =
    number('pull_request.number') ??
    (at('issue.pull_request.url') === undefined ? undefined : number('issue.number')) ??
    number('check_run.pull_requests.0.number') ??
    number('check_suite.pull_requests.0.number') ??
    number('workflow_run.pull_requests.0.number')
  if (pull !== undefined) return `pr-${pull}`
  const issue = number('issue.number')
  return issue === undefined ? null : `issue-${issue}`
}

/** Level by level, so that no depth is too much for looking. */
function isDeeperThan(depth: number, value: unknown): boolean {
  let level = [value]
  for (let deep = 0; level.length > 0; deep++) {
    if (deep > depth) return true
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return false
}

/** The ledger keeps text as Unicode without NUL, and lists need no more than this. */
function clean(text: string | undefined): string | null {
  return text === undefined ? null : text.replaceAll('\0', '').toWellFormed().slice(0, 300)
}
