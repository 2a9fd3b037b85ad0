import { Hono } from 'hono'
import { describeRoute, validator } from 'hono-openapi'
import { z } from 'zod'
import { Conflict } from '../../errors.ts'
import type { Pull } from '../../forges/forge.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { refuseInvalid } from '../refuse.ts'
import { pullsElsewhere } from '../pages/views.ts'

const PullJson = z.object({
  id: z.string(),
  repository: z.string(),
  number: z.number().int(),
  url: z.string(),
  branch: z.string(),
  base: z.string(),
  head: z.string(),
  title: z.string(),
  body: z.string(),
  state: z.enum(['open', 'merged', 'closed']),
  draft: z.boolean(),
})
const Query = z.object({ state: z.enum(['open', 'merged', 'closed']).optional() })

const Elsewhere = PullJson.pick({
  id: true,
  number: true,
  url: true,
  branch: true,
  base: true,
  head: true,
  title: true,
})
const Pulls = z.object({
  pulls: z.array(PullJson).describe('Of the local forge.'),
  elsewhere: z
    .array(Elsewhere)
    .describe(
      'Published to a forge with pages of its own, by the last 200 runs that published. What became of them is told there.',
    ),
})

const Act = z.strictObject({ head: z.string().optional().describe('Merge only if this is still its head.') })

type PullAct = { id: string; act: 'merge' | 'close'; by: string; seen: string | undefined }

/** Nobody merges what they have not read: with `seen`, a pull request that has moved on since is refused. */
export async function actOnPull(face: Face, { id, act, by, seen }: PullAct): Promise<Pull> {
  const outside = pullsElsewhere(await face.ledger.runs.withPulls([id])).at(0)
  if (outside) throw new Conflict(`${id} is on a forge of its own`, `${act} it there: ${outside.url}`)
  const now = await face.pulls.read(id)
  if (seen !== undefined && now.head !== seen) {
    throw new Conflict(
      `the pull request has changed since you read it: its head is now ${now.head.slice(0, 12)}`,
      'read it again',
    )
  }
  const pull = await face.pulls[act](id, by)
  await face.ledger.events.audit(by, act, id)
  return pull
}

export function pullsApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()
  app.get(
    '/',
    describeJson('Pull requests, newest first', 200, Pulls),
    validator('query', Query, refuseInvalid),
    async (c) => {
      const { state } = c.req.valid('query')
      const published = await face.ledger.runs.list({ states: ['published'], limit: 200 })
      const elsewhere = pullsElsewhere(published).map((pull) => ({ ...pull, url: pull.url ?? '' }))
      return c.json({ pulls: await face.pulls.list(state ? { state } : {}), elsewhere })
    },
  )
  app.get(
    '/:id/diff',
    describeRoute({ summary: 'A pull request as a unified diff', responses: { 200: { description: 'text/x-diff' } } }),
    async (c) => {
      const diff = await face.pulls.diff(await face.pulls.read(c.req.param('id')), 4 * 1024 * 1024)
      return c.text(diff.text, 200, { 'content-type': 'text/x-diff; charset=utf-8' })
    },
  )
  for (const act of ['merge', 'close'] as const) {
    app.post(
      `/:id/${act}`,
      describeJson(`${act} the pull request`, 200, PullJson),
      validator('json', Act, refuseInvalid),
      async (c) => {
        const { head } = c.req.valid('json')
        return c.json(await actOnPull(face, { id: c.req.param('id')!, act, by: c.get('actor'), seen: head }))
      },
    )
  }
  return app
}
