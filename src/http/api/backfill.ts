import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { backfill, checkWindow, mostSlots, slotsWithin } from '../../triggers/backfill.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { findRoutine } from './fire-call.ts'
import { refuseInvalid } from '../refuse.ts'

const instant = z.iso.datetime({ offset: true })
const Window = z.strictObject({
  from: instant.describe('The first instant that counts.'),
  to: instant.describe('The first that does not.'),
  dryRun: z.boolean().default(false).describe('Says which slots there are, and fires none.'),
})
const Backfill = z.object({
  routine: z.string(),
  slots: z.array(
    z.object({
      at: z.iso.datetime(),
      local: z.string().describe('As a clock in its zone shows it, with the offset.'),
      zone: z.string(),
      outcome: z.string().nullable().describe('null: it was not fired (dryRun).'),
      run: z.string().nullable(),
      fresh: z.boolean().nullable().describe('false: it was backfilled before.'),
    }),
  ),
  next: z.iso.datetime().nullable().describe(`The window holds more than ${mostSlots} slots: go on from here.`),
})
export type BackfillJson = z.infer<typeof Backfill>

/** Below `/v1/routines`. */
export function backfillApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()
  app.post(
    '/:name/backfill',
    describeJson('Fires every slot of a past window, each once, one run behind the other', [202, 200], Backfill),
    validator('json', Window, refuseInvalid),
    async (c) => {
      const { from, to, dryRun } = c.req.valid('json')
      const routine = findRoutine(face, c.req.param('name')!)
      const window = { from: new Date(from), to: new Date(to) }
      checkWindow(routine, window, await face.ledger.now())
      const { slots, next } = slotsWithin(routine, window)
      const answer = { routine: routine.name, next: next?.toISOString() ?? null }
      if (dryRun) {
        const only = { outcome: null, run: null, fresh: null }
        const found = slots.map(({ at, ...slot }) => ({ ...slot, at: at.toISOString(), ...only }))
        return c.json({ ...answer, slots: found } satisfies BackfillJson)
      }
      const fired = await backfill(face.acts.fire, { routine, slots, by: c.get('actor') })
      const said = fired.map(({ at, local, zone, firing, run, fresh }) => ({
        at: at.toISOString(),
        local,
        zone,
        outcome: firing.outcome,
        run,
        fresh,
      }))
      return c.json({ ...answer, slots: said } satisfies BackfillJson, 202)
    },
  )
  return app
}
