import type { Asker } from '../secrets/secret-source.ts'
import { createSentSecrets, openSecrets } from '../service/secrets.ts'
import type { Problem } from '../routines/routine.ts'
import type { Context } from './context.ts'
import { sourceOf, storedSecrets } from './stored-secrets.ts'

/** `isSure`: not when the store may have it, and nobody answers who could say so. */
export type Missing = { problem: Problem; isSure: boolean }
type Fault = { message: string; hint: string; isSure: boolean }
/** Why a file cannot have this secret, or may not send it to `url`. */
export type LookFor = (name: string, wanted?: { url?: string; asker?: Asker }) => Promise<Fault | undefined>

/** The store is asked of the live service alone: to open the folder for it would take seconds, and put routines in force. */
export async function lookForSecrets(context: Context): Promise<LookFor> {
  const config = context.config()
  const stored = await storedSecrets(context)
  const secrets = openSecrets(config, { store: sourceOf(stored ?? []) })
  const sentSecretOf = createSentSecrets(secrets, config)
  return async (name, { url, asker } = {}) => {
    const secret = await secrets.secretOf(name, asker)
    if ('missing' in secret && stored === undefined) {
      const message = `secret:${name} is not found, and which ones are stored is not known: no service answers here`
      return { message, hint: `check again while it runs, or ${secret.missing}`, isSure: false }
    }
    if ('missing' in secret) return { message: `secret:${name} is not there`, hint: secret.missing, isSure: true }
    const sent = url === undefined ? secret : await sentSecretOf(name, url, asker)
    return 'message' in sent ? { ...sent, isSure: true } : undefined
  }
}

/** At the beginning of the file that names it. */
export function missingIn(file: string, { isSure, ...said }: Fault): Missing {
  return { problem: { file, line: 1, column: 1, ...said }, isSure }
}
