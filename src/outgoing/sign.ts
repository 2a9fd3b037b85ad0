import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { SetupError } from '../errors.ts'

/** A secret of Standard Webhooks as its receivers' libraries take it. */
export const newSigningSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

/**
 * One secret, or several with spaces between them while receivers change over: each signs, and a receiver needs only one of
 * them to fit. Throws SetupError for one that is none.
 */
export function readSigningSecrets(written: string): string[] {
  const secrets = written.split(/\s+/).filter((part) => part !== '')
  if (secrets.length > 0 && secrets.every(isSecret)) return secrets
  throw new SetupError(
    'the secret that signs messages must be 24 to 64 bytes in base64, after whsec_',
    'make one: echo "whsec_$(openssl rand -base64 32)", and set OVERNIGHT_WEBHOOK_SECRET to it',
  )
}

function isSecret(written: string): boolean {
  const key = written.replace(/^whsec_/, '').replace(/=+$/, '')
  const bytes = Buffer.from(key, 'base64')
  // What is not base64 would be passed over in silence.
  return bytes.toString('base64').replace(/=+$/, '') === key && bytes.length >= 24 && bytes.length <= 64
}

/** The headers by which a receiver knows that the message is ours, whole and new. */
export function sign(
  secrets: readonly string[],
  message: { id: string; at: Date; payload: string },
): Record<string, string> {
  const signatures = secrets.map((secret) => new Webhook(secret).sign(message.id, message.at, message.payload))
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(message.at.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  }
}
