import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import type { Pause } from '../../ledger/pauses.ts'
import { pause, resume } from '../../triggers/pausing.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { refuseInvalid } from '../refuse.ts'

/** Since when, by whom, and what they said. */
export const PauseJson = z.object({ at: z.iso.datetime(), by: z.string(), reason: z.string().nullable() })
const Held = z.object({
  routine: z.string().nullable().describe('null = all of them.'),
  changed: z.boolean().describe('false: it was so before.'),
  paused: PauseJson.nullable(),
})
export type HeldJson = z.infer<typeof Held>
const Why = z.strictObject({
  reason: z.string().trim().max(500).optional().describe('Shown wherever something is left out for it.'),
})

type Signed = { Variables: { actor: string } }

/** Below `/v1`: pausing and resuming one routine, or all. */
export function pausesApi(face: Face) {
  const app = new Hono<Signed>()

  async function held(routine: string | undefined, changed: boolean): Promise<HeldJson> {
    const found = await (routine === undefined ? face.ledger.pauses.whole() : face.ledger.pauses.of(routine))
    const own = found?.whole === (routine === undefined) ? found : undefined
    return { routine: routine ?? null, changed, paused: own ? pauseJson(own) : null }
  }

  for (const [path, whom] of [
    ['/routines/:name', 'one routine'],
    ['', 'all routines'],
  ] as const) {
    app.post(
      `${path}/pause`,
      describeJson(
        `Pauses ${whom}: slots, events and calls of programs are recorded as skipped; people may still fire`,
        200,
        Held,
      ),
      validator('json', Why, refuseInvalid),
      async (c) => {
        const routine = c.req.param('name')
        const { reason } = c.req.valid('json')
        const pausing = { routine, by: c.get('actor'), reason: reason === undefined || reason === '' ? null : reason }
        return c.json(await held(routine, (await pause(face.ledger, pausing)).changed))
      },
    )
    app.post(
      `${path}/resume`,
      describeJson(`Resumes ${whom}, from now on; what passed meanwhile is not caught up with`, 200, Held),
      async (c) => {
        const routine = c.req.param('name')
        return c.json(await held(routine, (await resume(face.ledger, { routine, by: c.get('actor') })).changed))
      },
    )
  }
  return app
}

export function pauseJson({ at, by, reason }: Omit<Pause, 'whole'>): z.infer<typeof PauseJson> {
  return { at: at.toISOString(), by, reason }
}
