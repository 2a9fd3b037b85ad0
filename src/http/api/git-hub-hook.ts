import { Hono } from 'hono'
import { z } from 'zod'
import { missedIn, missedKey } from '../../triggers/github/missed.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import type { Refusals } from '../hooks/refusals.ts'
import { Refused } from './sources.ts'

const Place = z.object({
  name: z.string().describe('`the App`, or with a token each repository that something here hears of.'),
  lookedAt: z.iso.datetime(),
  webhooks: z.number().int().describe('So many there write to this service.'),
  asked: z.number().int().describe('Events that had not arrived and were asked for again by that look.'),
  error: z.string().nullable().describe('Why GitHub could not be asked.'),
  hint: z.string().nullable(),
})
const Hook = z.object({
  secret: z.boolean().describe('false: no event of GitHub is accepted.'),
  changing: z.boolean().describe('The secret before is accepted, too.'),
  routines: z.number().int().describe('So many are in force that such events fire.'),
  last: z
    .object({ event: z.string(), at: z.iso.datetime() })
    .nullable()
    .describe('The last event that arrived, a ping among them.'),
  refused: Refused,
  missed: z.array(Place).describe('The last looks at what GitHub could not deliver; empty = there was none yet.'),
})
export type HookJson = z.infer<typeof Hook>

/** Below `/v1/hooks`: whether GitHub's events arrive. */
export function gitHubHookApi(face: Pick<Face, 'ledger' | 'gitHubSecrets' | 'library'>, refusals: Refusals) {
  const { ledger, gitHubSecrets, library } = face
  const app = new Hono<{ Variables: { actor: string } }>()
  async function missed(): Promise<HookJson['missed']> {
    const found = missedIn((await ledger.settings.find(missedKey))?.value ?? {})
    return Object.entries(found).map(([name, { lookedAt, asked, error = null, hint = null, looks }]) => {
      return { name, lookedAt, webhooks: Object.keys(looks).length, asked, error, hint }
    })
  }
  app.get('/github', describeJson('Whether events of GitHub arrive', 200, Hook), async (c) => {
    const [last] = await ledger.occasions.deliveries({ source: 'github', limit: 1 })
    const refused = await refusals.last('github')
    return c.json({
      secret: gitHubSecrets.current !== undefined,
      changing: gitHubSecrets.old !== undefined,
      routines: library.snapshot().routines.filter(({ github }) => github.length > 0).length,
      last: last ? { event: last.event, at: last.receivedAt.toISOString() } : null,
      refused: refused ? { ...refused, at: refused.at.toISOString() } : null,
      missed: await missed(),
    } satisfies HookJson)
  })
  return app
}
