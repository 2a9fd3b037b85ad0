import { OvernightError, messageOf } from '../errors.ts'
import { appHook, checkRight, signedInAs } from '../service/probes.ts'
import { needsSignIn, signInHint } from '../triggers/github/lint-events.ts'
import { readFolder } from './check.ts'
import type { Context } from './context.ts'
import type { Finding } from './doctor-service.ts'

/** Who is signed in at GitHub, and whether what is set up there is what the service needs. */
export async function lookAtGitHub(context: Context): Promise<Finding[]> {
  const config = context.config()
  const forge = await look(`forge ${new URL(config.github.url).host}`, async () => {
    const says = await signedInAs(config.github)
    return says === undefined ? signedOut(context) : { ok: true, says }
  })
  if (!forge?.ok) return [forge].flatMap((one) => one ?? [])
  const more = [
    look('webhook of GitHub', async () => findingOf(await appHook(config))),
    look('checks of routines', async () => findingOf(await checkRight(config))),
  ]
  return [forge, ...(await Promise.all(more))].flatMap((one) => one ?? [])
}

type Told = Omit<Finding, 'what'>

/** No fault where all repositories are on this machine. */
async function signedOut(context: Context): Promise<Told> {
  const says = 'nobody is signed in'
  const { routines } = context.config().routinesIn === undefined ? await readFolder(context) : { routines: [] }
  const deaf = routines.filter(needsSignIn).map(({ name }) => name)
  if (deaf.length === 0) return { ok: false, says }
  return { ok: false, says: `${says}, so that events for ${listed(deaf)} are refused`, hint: signInHint }
}

/** More names than these help nobody. */
const most = 3
const listed = (names: readonly string[]): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`

const findingOf = (found: Awaited<ReturnType<typeof appHook>>): Told | undefined =>
  found && { ok: found.isGood, says: found.says, ...(found.isGood ? {} : { hint: found.hint }) }

/** undefined: nothing is to be said about it. */
async function look(what: string, find: () => Promise<Told | undefined>): Promise<Finding | undefined> {
  try {
    const told = await find()
    return told && { what, ...told }
  } catch (error) {
    const hint = error instanceof OvernightError ? error.hint : undefined
    return { what, ok: false, says: messageOf(error), hint: hint ?? 'correct the variables OVERNIGHT_GITHUB_…' }
  }
}
