import { z } from 'zod'
import { StepFailed } from '../../errors.ts'
import { apiErrorOf } from './answers.ts'
import { apiOf, createClient, ordinaryPatience, type Client, type Patience } from './client.ts'
import { explainApi, limitedFor } from './explain-api.ts'
import { createHookDeliveries, type HookDeliveries } from './hook-deliveries.ts'
import { readKey } from './key.ts'
import type { Credentials } from './sign-in.ts'

/** A webhook at GitHub that writes to us. `name`: for people, and the same at every start. */
export type Hook = HookDeliveries & { name: string }
/** Where webhooks are set up: the App has one for all its repositories, a person with a token one in each. */
export type GitHubHooks =
  | { of: 'app'; hook: Hook }
  | {
      of: 'repositories'
      /** Those of this repository that write to us; empty = none does. Throws StepFailed. */
      find(repository: string): Promise<Hook[]>
    }
export type HooksOptions = {
  url: string
  auth: Credentials
  /** The address that people use for us, where one is set. */
  publicUrl: string | undefined
  patience?: Partial<Patience>
}

const HookAnswer = z.object({
  id: z.number().int(),
  active: z.boolean(),
  config: z.object({ url: z.string().nullish() }),
})

/** undefined: nobody is signed in, and GitHub tells nothing. */
export function createHooks({ url, auth, publicUrl, ...options }: HooksOptions): GitHubHooks | undefined {
  if (auth === undefined) return undefined
  const patience = { ...ordinaryPatience, ...options.patience }
  const clientFor = { api: apiOf(url), patience, signal: undefined }
  const ask = async <T>(doing: string, act: (client: Client) => Promise<T>): Promise<T> => {
    try {
      const as =
        auth.kind === 'app' ? { appId: auth.appId, privateKey: await readKey(auth.keyFile) } : { token: auth.token }
      return await act(createClient(as, clientFor))
    } catch (error) {
      throw explainApi(error, `${doing} at ${url}`, Date.now())
    }
  }
  if (auth.kind === 'app')
    return { of: 'app', hook: { name: 'the App', ...createHookDeliveries('/app/hook/deliveries', ask) } }

  async function list(repository: string): Promise<z.infer<typeof HookAnswer>[]> {
    const [owner = '', repo = ''] = repository.split('/')
    return ask(`listing the webhooks of ${repository}`, async (client) => {
      try {
        const listed = await client.paginate(client.rest.repos.listWebhooks, { owner, repo, per_page: 100 })
        return HookAnswer.array().parse(listed)
      } catch (error) {
        throw isHidden(error) ? mayNotSee(repository, error) : error
      }
    })
  }
  return {
    of: 'repositories',
    async find(repository) {
      const ours = (await list(repository)).filter(({ active, config }) => active && writesToUs(config.url, publicUrl))
      return ours.map(({ id }) => {
        const deliveries = createHookDeliveries(`/repos/${repository}/hooks/${id}/deliveries`, ask)
        return { name: `${repository} ${id}`, ...deliveries }
      })
    },
  }
}

/** A proxy may have any name where we are not told ours. */
function writesToUs(address: string | null | undefined, publicUrl: string | undefined): boolean {
  if (!address || !URL.canParse(address)) return false
  const { host, pathname } = new URL(address)
  return pathname.endsWith('/hooks/github') && (publicUrl === undefined || host === new URL(publicUrl).host)
}

/** A limit is a 403, too. */
function isHidden(error: unknown): boolean {
  const told = apiErrorOf(error)
  return told !== undefined && [403, 404].includes(told.status) && limitedFor(told, Date.now()) === undefined
}

function mayNotSee(repository: string, cause: unknown): StepFailed {
  return new StepFailed('forge_denied', `the token may not see the webhooks of ${repository}`, {
    hint: hooksHint,
    cause,
  })
}

const hooksHint =
  'give it admin:repo_hook (classic) or Webhooks: read and write (fine-grained), or sign in as a GitHub App: without, what GitHub could not deliver is not asked for again'
