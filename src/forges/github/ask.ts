import { statusOf } from './answers.ts'
import { type Client, createClient, type Patience } from './client.ts'
import { type Doing, explainApi } from './explain-api.ts'
import type { Purpose, SignIn } from './sign-in.ts'
import { untilAborted } from './until-aborted.ts'

type Question<T> = {
  /** `owner/name`. */
  name: string
  purpose: Purpose
  doing: Doing
  act: (client: Client) => Promise<T>
  signal: AbortSignal | undefined
}
export type Ask = <T>(question: Question<T>) => Promise<T>

/** Asks GitHub's API about one repository, signed in for this question alone. Throws StepFailed. */
export function createAsk({ api, patience, signIn }: { api: string; patience: Patience; signIn: SignIn }): Ask {
  return async ({ name, purpose, doing, act, signal }) => {
    const once = async () => {
      const token = await signIn.tokenFor(name, purpose, signal)
      return act(createClient({ token }, { api, patience, signal }))
    }
    const twice = once().catch((error: unknown) => {
      // A token may have been withdrawn in the middle: everything we ask for may be asked again.
      if (statusOf(error) === 401 && signIn.renews) return once()
      throw error
    })
    try {
      return await untilAborted(twice, signal)
    } catch (error) {
      signal?.throwIfAborted()
      throw explainApi(error, `${doing} ${name}`, Date.now())
    }
  }
}
