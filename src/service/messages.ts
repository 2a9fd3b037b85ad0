import { AddressRefused } from '../errors.ts'
import { ensureToken } from '../http/access/token.ts'
import type { OutboxRow } from '../ledger/schema.ts'
import { readDestination } from '../outgoing/address.ts'
import { createGuardedFetch } from '../outgoing/guarded-fetch.ts'
import { createSender } from '../outgoing/sender.ts'
import { newSigningSecret, readSigningSecrets } from '../outgoing/sign.ts'
import type { Ground } from './ground.ts'

/** What each kind of process tells the outside: a worker speaks up where the servers may be what is wrong. */
const kindsOf = {
  server: ['run.ended', 'alert.raised', 'alert.cleared', 'routine.paused'],
  worker: ['alert.raised', 'alert.cleared', 'routine.paused'],
} as const satisfies Record<string, readonly OutboxRow['kind'][]>

/** How long the API can still tell what became of a message. */
const keptMs = 30 * 86_400_000

/** What sends messages in this process: the ticks it needs. `building` closes it. Throws SetupError for a bad secret. */
export function openMessages(ground: Ground, building: AsyncDisposableStack, as: keyof typeof kindsOf) {
  const { config, ledger, log } = ground
  // A mistake is told at the start, not by the first message.
  if (config.webhookSecret !== undefined) readSigningSecrets(config.webhookSecret)
  const sender = building.use(
    createSender({
      outbox: ledger.outbox,
      post: createGuardedFetch({ allowedHosts: config.allowedHosts }),
      secrets: () => signingSecrets(config),
      kinds: kindsOf[as],
      log,
    }),
  )
  return [
    { every: '* * * * * *', name: 'messages', act: () => sender.sweep() },
    { every: '29 * * * *', name: 'old messages', act: () => ledger.outbox.prune(keptMs) },
  ]
}

/** The address as it is asked later. Throws AddressRefused when it must not be: a caller hears of it at once. */
export function callbackTo({ allowedHosts }: Pick<Ground['config'], 'allowedHosts'>, written: string): string {
  const read = readDestination(written, allowedHosts)
  if ('refused' in read) throw new AddressRefused(`callback: ${read.refused}`, read.hint)
  return read.url.href
}

/** What signs our messages, newest first. Throws SetupError when what is written is no secret. */
export async function signingSecrets({ webhookSecret, paths }: Ground['config']): Promise<string[]> {
  return readSigningSecrets(webhookSecret ?? (await ensureToken(paths.webhookSecret, newSigningSecret)))
}
