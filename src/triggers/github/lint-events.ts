import { emitterEventNames } from '@octokit/webhooks'
import { placeAt, quoted } from '../../routines/format.ts'
import { isOnForge } from '../../routines/lint.ts'
import { advice } from '../../routines/nearest.ts'
import type { Problem, Routine } from '../../routines/routine.ts'

const events = [...new Set(emitterEventNames.map((name) => name.split('.')[0]!))]
/** Of one event; empty for those that have none. */
const actionsOf = (event: string): string[] =>
  emitterEventNames.flatMap((name) => (name.startsWith(`${event}.`) ? [name.slice(event.length + 1)] : []))

/** Events and actions that GitHub was not known to have when this version was made: a slip would never be due. */
export function lintEvents({ file, source: text, github }: Routine): Problem[] {
  const at = (word: string) => placeAt(text, text.search(new RegExp(String.raw`\b${RegExp.escape(word)}\b`)))
  return github.flatMap((trigger) => {
    if (trigger.kind !== 'event') return []
    const { event } = trigger
    if (!events.includes(event)) {
      const message = `GitHub is not known to have the event ${quoted(event)}`
      return [{ file, ...at(event), message, hint: advice(event, events) }]
    }
    const known = actionsOf(event)
    const unknown = (trigger.actions ?? []).filter((action) => !known.includes(action))
    return unknown.map((action) => {
      const message = `the event ${event} is not known to have the action ${quoted(action)}`
      return { file, ...at(action), message, hint: advice(action, known) }
    })
  })
}

/** Is there anything that could cause it only where GitHub is asked what a sender may do? */
export function needsSignIn({ github, repository }: Pick<Routine, 'github' | 'repository'>): boolean {
  const isDeaf = github.some(({ allow }) => allow.users.length + allow.bots.length === 0)
  return isDeaf && repository !== null && isOnForge(repository)
}

export const signInHint = 'set OVERNIGHT_GITHUB_APP_ID and OVERNIGHT_GITHUB_APP_KEY_FILE, or OVERNIGHT_GITHUB_TOKEN'

/** Where nobody is signed in. */
export function lintSignedOut(routine: Routine): Problem[] {
  const { file, source } = routine
  if (!needsSignIn(routine)) return []
  const message = 'nobody is signed in at GitHub, so that it cannot be asked who may start this: its events are refused'
  return [{ file, ...placeAt(source, source.search(/\bgithub["']?\s*:/)), message, hint: signInHint }]
}
