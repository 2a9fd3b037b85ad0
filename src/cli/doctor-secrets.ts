import { readFile } from 'node:fs/promises'
import { messageOf } from '../errors.ts'
import { whyCommandFails } from '../secrets/command.ts'
import { leastBytes } from '../secrets/forms.ts'
import { shortSecrets } from '../service/known-secrets.ts'
import type { Context } from './context.ts'
import type { Finding } from './doctor-service.ts'
import { storedSecrets } from './stored-secrets.ts'

/** What is stored and where its key is, and whether the operator's command can be asked, and which are too short to be kept out of texts. Nothing is told of what is not used. */
export async function lookAtSecrets(context: Context): Promise<Finding[]> {
  return [await stored(context), await command(context), await short(context)].flatMap((one) => one ?? [])
}

async function stored(context: Context): Promise<Finding | undefined> {
  const secrets = await storedSecrets(context)
  const what = 'secrets'
  if (secrets === undefined)
    return { what, ok: true, says: 'which ones are stored is not known: no service answers here' }
  if (secrets.length === 0) return undefined
  const says = `${secrets.length} stored`
  const { secretsKey, paths } = context.config()
  if (secretsKey !== undefined) return { what, ok: true, says: `${says}, with the key in OVERNIGHT_SECRETS_KEY` }
  const why = await readFile(paths.secretsKey).then(
    () => undefined,
    (error: unknown) => messageOf(error),
  )
  return why === undefined
    ? { what, ok: true, says: `${says}, with the key at ${paths.secretsKey}` }
    : {
        what,
        ok: false,
        says: `${says}, and their key cannot be read: ${why}`,
        hint: 'put it back from your backup, or set OVERNIGHT_SECRETS_KEY; without it store them again',
      }
}

/** The store takes none that are so short; variables and files may hold any. */
async function short(context: Context): Promise<Finding | undefined> {
  const names = await shortSecrets(context.config())
  if (names.length === 0) return undefined
  const says = `of fewer than ${leastBytes} bytes, and so neither replaced in texts nor looked for in changes: ${names.join(', ')}`
  return { what: 'short secrets', ok: false, says, hint: 'set longer ones' }
}

async function command(context: Context): Promise<Finding | undefined> {
  const { secretCommand: argv, operator } = context.config()
  if (argv === undefined) return undefined
  const why = await whyCommandFails({ argv, env: { PATH: operator.path, HOME: operator.home } })
  const what = 'secrets command'
  const program = argv[0] ?? ''
  return why === undefined
    ? { what, ok: true, says: `${program} starts and answers` }
    : { what, ok: false, says: `${program}: ${why}`, hint: 'correct OVERNIGHT_SECRET_COMMAND' }
}
