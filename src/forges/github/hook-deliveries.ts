import { z } from 'zod'
import { apiOf, createClient, ordinaryPatience, type Client, type Patience } from './client.ts'
import { explainApi } from './explain-api.ts'
import { readKey } from './key.ts'
import type { Credentials } from './sign-in.ts'

/** One attempt of GitHub to tell us something. `guid` is the same for all attempts of one delivery. */
type Attempt = { id: string; guid: string; deliveredAt: Date; event: string; isOk: boolean }
type AttemptPage = { attempts: Attempt[]; next: string | undefined }
/** What GitHub remembers of its deliveries to the App, for three days. All throw StepFailed. */
export type HookDeliveries = {
  /** Those that failed, newest first; an older Enterprise server names the others, too. */
  page(cursor: string | undefined): Promise<AttemptPage>
  /** Has one sent again; it arrives as any other. */
  sendAgain(id: string): Promise<void>
}

const AttemptAnswer = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  guid: z.string(),
  delivered_at: z.coerce.date(),
  event: z.string(),
  status_code: z.number(),
})

/** undefined: nobody is signed in as an App, and a token is not told of deliveries. */
export function createHookDeliveries(options: {
  url: string
  auth: Credentials
  patience?: Partial<Patience>
}): HookDeliveries | undefined {
  const { url, auth } = options
  if (auth?.kind !== 'app') return undefined
  const patience = { ...ordinaryPatience, ...options.patience }
  const ask = async <T>(doing: string, act: (client: Client) => Promise<T>): Promise<T> => {
    try {
      const privateKey = await readKey(auth.keyFile)
      return await act(
        createClient({ appId: auth.appId, privateKey }, { api: apiOf(url), patience, signal: undefined }),
      )
    } catch (error) {
      throw explainApi(error, `${doing} at ${url}`, Date.now())
    }
  }
  return {
    page: (cursor) =>
      ask('listing the deliveries of webhooks', async (client) => {
        const { data, headers } = await client.request({
          method: 'GET',
          url: '/app/hook/deliveries',
          per_page: 100,
          status: 'failure',
          ...(cursor === undefined ? {} : { cursor }),
          request: { parseSuccessResponseBody: false },
        })
        const attempts = AttemptAnswer.array()
          .parse(await exactly(data))
          .map(({ id, guid, event, status_code: status, delivered_at: deliveredAt }) => {
            return { id, guid, event, deliveredAt, isOk: status >= 200 && status < 300 }
          })
        return { attempts, next: cursorIn(headers.link) }
      }),
    async sendAgain(id) {
      await ask('asking for a delivery again', (client) =>
        client.request({ method: 'POST', url: '/app/hook/deliveries/{delivery_id}/attempts', delivery_id: id }),
      )
    },
  }
}

/** Ids of deliveries are larger than the numbers JavaScript tells apart: they stay as they are written. */
async function exactly(body: unknown): Promise<unknown> {
  const text = await new Response(Body.parse(body)).text()
  return JSON.parse(text.replaceAll(/"id":\s*(\d{15,})/g, '"id":"$1"'))
}
const Body = z.custom<ReadableStream<Uint8Array>>((value) => value instanceof ReadableStream)

/** https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api */
function cursorIn(link: string | undefined): string | undefined {
  const next = /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1]
  return next === undefined ? undefined : (new URL(next).searchParams.get('cursor') ?? undefined)
}
