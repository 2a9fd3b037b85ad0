import { z } from 'zod'
import { InstallationAnswer, statusOf } from './answers.ts'
import { apiOf, createClient, type Client } from './client.ts'
import { explainApi, visibleHint } from './explain-api.ts'
import { readKey } from './key.ts'
import type { Credentials } from './sign-in.ts'
import { shortPatience } from './who.ts'

type SignedIn = { url: string; auth: NonNullable<Credentials> }
/** What was found out about something we need at GitHub; `isGood` with what is said, or what to do. */
export type Found = { isGood: true; says: string } | { isGood: false; says: string; hint: string }

/** May commits of this repository (`owner/name`) be told what became of them? Throws StepFailed. */
export function findCheckRight({ url, auth }: SignedIn, name: string): Promise<Found> {
  return ask({ url, auth }, 'asking what may be written', async (client) => {
    if (auth.kind === 'token') return rightOfToken((await client.rest.users.getAuthenticated()).headers)
    const [owner = '', repo = ''] = name.split('/')
    try {
      const installed = InstallationAnswer.parse((await client.rest.apps.getRepoInstallation({ owner, repo })).data)
      const says = `the App may ${installed.permissions['checks'] === 'write' ? '' : 'not '}write them in ${name}`
      if (installed.permissions['checks'] === 'write') return { isGood: true, says }
      return { isGood: false, says, hint: checksHint }
    } catch (error) {
      if (statusOf(error) !== 404) throw error
      return { isGood: false, says: `${name} is not there, or the App is not installed on it`, hint: visibleHint }
    }
  })
}

const checksHint =
  'give the App the permission Checks: read and write, then accept that in the settings of its installation'

/** Check runs are for Apps alone; a token writes a status in their place. Only classic ones tell what they may. */
function rightOfToken({ 'x-oauth-scopes': scopes }: Record<string, unknown>): Found {
  const says = 'with a token commits get a status in their place'
  if (typeof scopes !== 'string')
    return { isGood: true, says: `${says}; it needs the permission Commit statuses, which GitHub does not tell of it` }
  const may = scopes.split(/,\s*/).some((scope) => ['repo', 'public_repo', 'repo:status'].includes(scope))
  if (may) return { isGood: true, says }
  return { isGood: false, says: `${says}, and this one may not write any`, hint: 'give it the scope repo:status' }
}

const HookConfig = z.object({ url: z.string().nullish(), content_type: z.string().nullish() })
const path = '/hooks/github'

/** Where the App's webhook writes to, and whether we read what it writes. Throws StepFailed. */
export function findAppHook(signedIn: SignedIn, publicUrl: string | undefined): Promise<Found> {
  return ask(signedIn, 'asking for the webhook of the App', async (client) => {
    try {
      return judge(HookConfig.parse((await client.rest.apps.getWebhookConfigForApp()).data), publicUrl)
    } catch (error) {
      if (statusOf(error) !== 404) throw error
      return judge({}, publicUrl)
    }
  })
}

function judge({ url, content_type: type }: z.infer<typeof HookConfig>, publicUrl: string | undefined): Found {
  const ours = `${publicUrl?.replace(/\/$/, '') ?? 'https://<your address>'}${path}`
  if (!url) return { isGood: false, says: 'the App has none', hint: `set it in the App's settings to ${ours}` }
  const says = `the App's writes to ${url}`
  const isHere = publicUrl === undefined ? url.endsWith(path) : url === ours
  if (!isHere) return { isGood: false, says, hint: `set it in the App's settings to ${ours}` }
  if (type === 'json') return { isGood: true, says }
  const hint = "choose the content type application/json in the App's settings"
  return { isGood: false, says: `${says}, as a form`, hint }
}

async function ask<T>({ url, auth }: SignedIn, doing: string, act: (client: Client) => Promise<T>): Promise<T> {
  try {
    const as =
      auth.kind === 'app' ? { appId: auth.appId, privateKey: await readKey(auth.keyFile) } : { token: auth.token }
    return await act(createClient(as, { api: apiOf(url), patience: shortPatience, signal: undefined }))
  } catch (error) {
    throw explainApi(error, `${doing} at ${url}`, Date.now())
  }
}
