import type { HookJson } from '../http/api/git-hub-hook.ts'
import type { Finding } from './doctor-service.ts'
import { visible } from './events.ts'

/** Whether events of GitHub arrive, and what becomes of those that do not. Without a routine that asks for some nobody needs any. */
export function lookAtHook({ secret, changing, routines, last, missed }: HookJson): Finding {
  const what = 'events of GitHub'
  if (!secret) {
    const says = 'none is accepted: OVERNIGHT_GITHUB_WEBHOOK_SECRET is not set'
    if (routines === 0) return { what, ok: false, says }
    const hint = 'set it where the service starts, write the same in the webhook settings at GitHub, and start it again'
    return { what, ok: false, says: `${says}, and ${routines} routines ask for some`, hint }
  }
  const told = [
    last ? `the last one (${visible(last.event)}) came ${last.at}` : 'none came yet',
    ...(changing ? ['the old secret is accepted, too'] : []),
    ...lookedFor(missed),
  ]
  const failed = missed.filter(({ error }) => error !== null)
  if (failed.length === 0) return { what, ok: true, says: told.join('; ') }
  const { name, error, hint } = failed[0]!
  const others = failed.length === 1 ? '' : ` and ${failed.length - 1} more`
  const why = `missed ones could not be asked for at ${visible(name)}${others}: ${visible(error ?? '')}`
  return { what, ok: false, says: [...told, why].join('; '), hint: hint ?? 'the next look tries again' }
}

function lookedFor(missed: HookJson['missed']): string[] {
  const asked = missed.reduce((sum, one) => sum + one.asked, 0)
  const latest = missed
    .map(({ lookedAt }) => lookedAt)
    .toSorted()
    .at(-1)
  if (latest === undefined) return ['missed ones were not looked for yet']
  const silent = missed.filter(({ webhooks, error }) => webhooks === 0 && error === null)
  const none =
    silent.length === 0 ? [] : [`no webhook of ${silent.map(({ name }) => visible(name)).join(', ')} writes here`]
  return [`${asked} missed were asked for again by the look at ${latest}`, ...none]
}
