import { listOf } from './availability.ts'
import type { FrontMatter } from '../keys/front-matter.ts'
import type { Finding } from './issues.ts'

/** Of these it is known which pull request they are about. A comment, a command and a label may also be about an issue. */
const aboutPulls: ReadonlySet<string> = new Set([
  'check_run',
  'check_suite',
  'issue_comment',
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
  'pull_request_review_thread',
  'workflow_run',
])
const others = { schedule: 'a schedule', webhook: 'a webhook', after: 'another routine', api: 'an API call' } as const

/** A run that is to start from a pull request needs something that says which. */
export function checkCheckout({ checkout, on }: Pick<FrontMatter, 'checkout' | 'on'>): Finding[] {
  if (checkout === 'base') return []
  const events = on === 'manual' ? [] : listOf(on.github)
  const event = events.find((trigger) => 'event' in trigger && !aboutPulls.has(trigger.event))
  const hint = 'write on: { github: { event: pull_request } }, or take checkout out'
  if (events.length === 0 || on === 'manual')
    return [{ path: ['checkout'], at: 'value', message: 'nothing that fires it is about a pull request', hint }]
  const elsewhere = 'give that a routine of its own'
  const wrong = event && 'event' in event ? event.event : undefined
  return [
    ...(wrong === undefined
      ? []
      : [finding('github', `the event ${wrong} is about no pull request, which the run is to start from`, elsewhere)]),
    ...(['schedule', 'webhook', 'after', 'api'] as const)
      .filter((key) => (key === 'api' ? on.api : listOf(on[key]).length > 0))
      .map((key) => finding(key, `${others[key]} names no pull request, which the run is to start from`, elsewhere)),
  ]
}

function finding(key: string, message: string, hint: string): Finding {
  return { path: ['on', key], at: 'key', message, hint }
}
