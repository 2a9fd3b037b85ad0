import { listOf } from './availability.ts'
import type { FrontMatter } from '../keys/front-matter.ts'
import type { Finding } from './issues.ts'
import { presets } from '../keys/network.ts'

type Written = Pick<
  FrontMatter,
  'on' | 'checkout' | 'repository' | 'network' | 'sandbox' | 'connectors' | 'allow_trifecta'
>

/**
 * Text of strangers, something private, and a way out: who writes that text can have the private thing sent to himself, and no
 * model is proof against it. A routine that joins the three is refused unless its file says that this is meant.
 */
export function checkTrifecta(written: Written): Finding[] {
  const [strangers] = strangersOf(written)
  const [out] = waysOut(written)
  if (strangers === undefined || out === undefined || !needsWalls(written)) return []
  const message = `whoever writes ${strangers} can have what the agent sees sent away: ${out.says}`
  const hint = `${out.instead}, or write allow_trifecta: true if that is meant`
  return [{ path: [out.key], at: 'key', message, hint }]
}

export function needsWalls(written: Omit<Written, 'sandbox'>): boolean {
  // What a pull request brings along is run, too, whatever lies beside it.
  const hasPrivate =
    written.checkout === 'pull_request' || written.repository !== undefined || written.connectors.length > 0
  return hasPrivate && strangersOf(written).length > 0 && !written.allow_trifecta
}

/** Whose words reach the agent, beside people's and programs' of this service: who holds a token answers for what is handed on with it. Labels and commands are theirs who may write; what they stand on is not. */
function strangersOf({ on, checkout, connectors, network }: Omit<Written, 'sandbox'>): string[] {
  const brought = [
    ...(checkout === 'pull_request' ? ['pull requests'] : []),
    ...connectors.map((use) => `what ${typeof use === 'string' ? use : use.name} tells`),
  ]
  // Anybody may have a page there: it is read and sent to in one.
  const fetched = network === 'open' ? ['a page that it fetches'] : []
  return [...brought, ...sentBy(on), ...fetched]
}

function sentBy(on: Written['on']): string[] {
  if (on === 'manual') return []
  return [
    ...(listOf(on.github).length > 0 ? ['issues, comments and pull requests'] : []),
    ...listOf(on.webhook).map(({ source }) => `events of ${source}`),
    ...listOf(on.after).map(({ routine }) => `what ${routine} hands on`),
  ]
}

type WayOut = { key: 'sandbox' | 'network'; says: string; instead: string }

/** Presets are none: they serve packages. Who has an account there can still be sent something by it, which the docs say. */
function waysOut({ sandbox, network }: Written): WayOut[] {
  const hosts = typeof network === 'string' ? [] : network.filter((entry) => !Object.hasOwn(presets, entry))
  return [
    ...(sandbox === 'process'
      ? [{ key: 'sandbox' as const, says: 'sandbox: process limits no network', instead: 'take another sandbox' }]
      : []),
    ...(network === 'open'
      ? [{ key: 'network' as const, says: 'network: open', instead: 'list the hosts that it needs' }]
      : []),
    ...hosts.map((host) => ({ key: 'network' as const, says: `${host} is reached`, instead: 'take the host out' })),
  ]
}
