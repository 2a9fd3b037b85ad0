import type { Run } from '../ledger/schema.ts'
import { html, type Html } from './html.ts'
import { pathOf } from './path.ts'
import { isOutside, type PullView } from './pull.ts'

/** What a person may do now. `primary` is the one the page is about; `key` is its letter on the keyboard. */
export type Action = {
  verb: 'approve' | 'deny' | 'cancel' | 'retry' | 'merge' | 'close'
  label: string
  path: string
  primary: boolean
  key: string
  /** What the reader saw: the act is refused when that is not so any more. */
  seen?: { head: string }
}

export function actionsOf(run: Run, pull: PullView | null): Action[] {
  const act = (verb: Action['verb'], label: string, primary = false): Action => {
    const path = pathOf('runs', run.id, verb)
    return { verb, label, path, primary, key: verb.charAt(0) }
  }
  if (run.state === 'needs_approval') return [act('approve', 'Publish', true), act('deny', 'Deny')]
  if (run.endedAt === null) return run.cancelRequestedAt === null ? [act('cancel', 'Cancel')] : []
  const bad = run.state === 'failed' || run.state === 'timed_out'
  return [...(pull ? pullActions(pull) : []), act('retry', 'Retry', bad)]
}

/** Merging and closing, while the pull request is open and nobody else's. */
export function pullActions(pull: PullView): Action[] {
  if (pull.state !== 'open' || isOutside(pull)) return []
  const act = (verb: 'merge' | 'close', label: string): Action => {
    const path = pathOf('pulls', pull.id, verb)
    const isMerge = verb === 'merge'
    return {
      verb,
      label,
      path,
      primary: isMerge,
      key: isMerge ? 'm' : '',
      ...(isMerge ? { seen: { head: pull.head } } : {}),
    }
  }
  return [act('merge', 'Merge'), act('close', 'Close')]
}

/** One form a button, so that everything works without a script. `back` is the page to return to. */
export function buttons(actions: readonly Action[], back: string): Html | '' {
  if (actions.length === 0) return ''
  return html`<div class="acts">${actions.map((action) => button(action, back))}</div>`
}

function button({ label, path, primary, key, seen }: Action, back: string): Html {
  const kind = primary ? 'primary' : 'quiet'
  return html`<form method="post" action="${path}">
    <input
      type="hidden"
      name="back"
      value="${back}"
    />${seen && html`<input type="hidden" name="head" value="${seen.head}" />`}<button
      class="${kind}"
      ${key !== '' && html`data-key="${key}"`}
    >
      ${label}
    </button>
  </form>`
}
