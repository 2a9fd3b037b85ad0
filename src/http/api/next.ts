import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { firstComing } from '../../triggers/schedule/coming.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { refuseInvalid } from '../refuse.ts'
import { findRoutine } from './fire-call.ts'

const NextQuery = z.object({
  routine: z.string().optional(),
  days: z.coerce.number().int().min(1).max(100_000).default(7),
  limit: z.coerce.number().int().min(1).max(10_000).default(100),
})
const NextJson = z.object({
  now: z.iso.datetime(),
  fires: z.array(
    z.object({
      routine: z.string(),
      at: z.iso.datetime(),
      local: z.string().describe('As a clock in its zone shows it, with the offset.'),
      zone: z.string(),
      transitionDay: z.boolean().describe('The clocks change on that local day.'),
      paused: z.boolean().describe('Paused now: unless it is resumed by then, it is skipped.'),
    }),
  ),
  more: z.boolean().describe('There are others in that time, beyond the limit.'),
})
export type NextJson = z.infer<typeof NextJson>

export function nextApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()

  app.get(
    '/',
    describeJson('Coming fires of schedules, soonest first', 200, NextJson),
    validator('query', NextQuery, refuseInvalid),
    async (c) => {
      const { routine, days, limit } = c.req.valid('query')
      const { ledger } = face
      const now = await ledger.now()
      const routines = routine === undefined ? face.library.snapshot().routines : [findRoutine(face, routine)]
      const isAllPaused = (await ledger.pauses.whole()) !== undefined
      const paused = new Set((await ledger.pauses.list()).map(({ routine }) => routine))
      const { fires, more } = firstComing(routines, { from: now, days, limit })
      return c.json({
        now: now.toISOString(),
        fires: fires.map((fire) => ({ ...fire, paused: isAllPaused || paused.has(fire.routine) })),
        more,
      } satisfies NextJson)
    },
  )
  return app
}
