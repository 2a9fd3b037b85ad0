import { Hono } from 'hono'
import { z } from 'zod'
import type { Face } from '../face.ts'
import { describeJson } from './describe.ts'

const Workers = z.object({
  workers: z.array(
    z.object({
      id: z.string(),
      host: z.string(),
      pid: z.number().int(),
      slots: z.number().int().describe('Runs it takes at the same time.'),
      stopping: z.boolean().describe('It ends what it has and takes nothing new.'),
      startedAt: z.iso.datetime(),
      seenAt: z.iso.datetime(),
    }),
  ),
})
export type WorkersJson = z.infer<typeof Workers>

export function workersApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()
  app.get('/', describeJson('Processes that take runs and were heard of lately', 200, Workers), async (c) => {
    const rows = await face.workers()
    const workers = rows.map(({ startedAt, seenAt, ...row }) => ({
      ...row,
      startedAt: startedAt.toISOString(),
      seenAt: seenAt.toISOString(),
    }))
    return c.json({ workers } satisfies WorkersJson)
  })
  return app
}
