import type { GitHubTrigger } from '../../routines/routine.ts'
import type { OutsideEvent } from '../source.ts'
import { textAt } from '../webhook/places.ts'

/** What a comment asks for: `@overnight fix the tests` is the word `fix` and the text `the tests`. */
export type Command = { word: string; text: string }

/** Comments that may hold a command: once, when they are written. An edit changes nothing that was asked. */
const spoken: Record<string, { action: string; body: string }> = {
  issue_comment: { action: 'created', body: 'comment.body' },
  pull_request_review_comment: { action: 'created', body: 'comment.body' },
  commit_comment: { action: 'created', body: 'comment.body' },
  pull_request_review: { action: 'submitted', body: 'review.body' },
}

/** The command that an event's comment begins with. */
export function commandIn({
  event,
  action,
  payload,
}: Pick<OutsideEvent, 'event' | 'action' | 'payload'>): Command | undefined {
  const place = Object.hasOwn(spoken, event) ? spoken[event] : undefined
  if (!place || action !== place.action) return undefined
  const body = textAt(payload, place.body.split('.')) ?? ''
  const said = /^\s*@overnight[ \t]+([A-Za-z][A-Za-z0-9-]*)(?:[ \t]+([^\r\n]*))?(?:\r?\n|$)/.exec(body.slice(0, 4096))
  return said ? { word: said[1]!.toLowerCase(), text: (said[2] ?? '').trim() } : undefined
}

/** Whether a trigger is about this kind of event. Its condition is another question. */
export function isAbout(trigger: GitHubTrigger, event: OutsideEvent): boolean {
  if (trigger.kind === 'command') return commandIn(event)?.word === trigger.word
  if (trigger.kind === 'event') {
    const { actions } = trigger
    return trigger.event === event.event && (actions === null || actions.includes(event.action ?? ''))
  }
  const isLabel = ['issues', 'pull_request'].includes(event.event) && event.action === 'labeled'
  return isLabel && isSame(textAt(event.payload, ['label', 'name']), trigger.name)
}

/** The same in words. */
export function wantedBy(trigger: GitHubTrigger): string {
  if (trigger.kind === 'command') return `@overnight ${trigger.word}`
  if (trigger.kind === 'label') return `the label ${trigger.name}`
  return trigger.actions === null ? trigger.event : `${trigger.event} ${trigger.actions.join(' or ')}`
}

/** Names of repositories, people and labels are the same in any case at GitHub. */
export function isSame(a: string | null | undefined, b: string): boolean {
  return typeof a === 'string' && a.toLowerCase() === b.toLowerCase()
}

/** The paths that a push names. */
export function pushedFiles({ commits }: Record<string, unknown>): string[] {
  const lists = (Array.isArray(commits) ? commits : []).flatMap((commit: unknown) =>
    typeof commit === 'object' && commit !== null
      ? ['added', 'modified', 'removed'].map((key) => (commit as Record<string, unknown>)[key])
      : [],
  )
  return [...new Set(lists.flat().filter((path) => typeof path === 'string'))]
}
