import { StepFailed } from '../../errors.ts'
import { AppAnswer, Login } from './answers.ts'
import { apiOf, createClient, ordinaryPatience } from './client.ts'
import { explainApi, permissionHint } from './explain-api.ts'
import { readKey } from './key.ts'
import type { Credentials } from './sign-in.ts'

/** A person waits for the answer. */
export const shortPatience = { ...ordinaryPatience, requestTimeoutMs: 5000, waitAtMostMs: 0, pauseMs: 100 }

/** Whom GitHub takes us for, in words; undefined when nobody is signed in. Throws StepFailed with what to do. */
export async function whoAmI({ url, auth }: { url: string; auth: Credentials }): Promise<string | undefined> {
  if (auth === undefined) return undefined
  const options = { api: apiOf(url), patience: shortPatience, signal: undefined }
  try {
    if (auth.kind === 'token') {
      const answer = await createClient({ token: auth.token }, options).rest.users.getAuthenticated()
      return `${Login.parse(answer.data).login}, by token`
    }
    const privateKey = await readKey(auth.keyFile)
    const app = AppAnswer.parse(
      (await createClient({ appId: auth.appId, privateKey }, options).rest.apps.getAuthenticated()).data,
    )
    const lacking = (['contents', 'pull_requests'] as const).filter((scope) => app.permissions[scope] !== 'write')
    if (lacking.length === 0) return `the App ${app.slug}`
    throw new StepFailed('forge_denied', `the App ${app.slug} may not write: ${lacking.join(', ')}`, {
      hint: permissionHint,
    })
  } catch (error) {
    throw explainApi(error, `signing in at ${url}`, Date.now())
  }
}
