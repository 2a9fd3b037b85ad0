import { z } from 'zod'
import type { Client } from './client.ts'

/** One attempt of GitHub to tell us something. `guid` is the same for all attempts of one delivery. */
type Attempt = { id: string; guid: string; deliveredAt: Date; event: string; isOk: boolean }
type AttemptPage = { attempts: Attempt[]; next: string | undefined }
/** What GitHub remembers of the deliveries of one webhook, for three days. All throw StepFailed. */
export type HookDeliveries = {
  /** Those that failed, newest first; an older Enterprise server names the others, too. */
  page(cursor: string | undefined): Promise<AttemptPage>
  /** Has one sent again; it arrives as any other. */
  sendAgain(id: string): Promise<void>
}
/** `doing` is the end of a sentence: "listing the deliveries of webhooks". */
type AskAboutHook = <T>(doing: string, act: (client: Client) => Promise<T>) => Promise<T>

const AttemptAnswer = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  guid: z.string(),
  delivered_at: z.coerce.date(),
  event: z.string(),
  status_code: z.number(),
})

/** `path`: where the API has the deliveries of this webhook; the App's and those of repositories are asked alike. */
export function createHookDeliveries(path: string, ask: AskAboutHook): HookDeliveries {
  return {
    page: (cursor) =>
      ask('listing the deliveries of webhooks', async (client) => {
        const { data, headers } = await client.request({
          method: 'GET',
          url: path,
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
        client.request({ method: 'POST', url: `${path}/{delivery_id}/attempts`, delivery_id: id }),
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
