import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { NotFound } from '../../errors.ts'
import type { RoutineVersion } from '../../ledger/schema.ts'
import { rollBack, undoRollback } from '../../triggers/rolling-back.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { refuseInvalid } from '../refuse.ts'

const Entry = z.object({
  at: z.iso.datetime(),
  act: z.enum(['apply', 'remove', 'rollback', 'undo_rollback', 'pause', 'resume']),
  by: z.string().describe('`files`: the routine file itself changed.'),
  hash: z.string().nullable().describe('The version that was in force from then on.'),
  commit: z.string().nullable(),
  reason: z.string().nullable(),
})
const History = z.object({
  routine: z.string(),
  inForce: z.string().nullable().describe('null: its file is gone.'),
  rolledBackFrom: z
    .string()
    .nullable()
    .describe("An older version was put back: it stays until the file's text is not this one."),
  entries: z.array(Entry).describe('Newest first, at most 200.'),
})
export type HistoryJson = z.infer<typeof History>
const PutBack = z.object({ routine: z.string(), hash: z.string(), rolledBackFrom: z.string().nullable() })
export type PutBackJson = z.infer<typeof PutBack>
const Looked = z.object({ routines: z.number().int(), problems: z.number().int() })
const To = z.strictObject({
  to: z
    .string()
    .regex(/^[0-9a-f]{4,64}$/i, 'must be the beginning of a hash: at least 4 of its digits')
    .optional()
    .describe('Beginning of the hash of a version; default: the one before.'),
})

const shown = 200

/** Below `/v1/routines`: which versions there were, and how to go back to one. */
export function historyApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()
  const routineOf = ({ file, source }: RoutineVersion) => face.readOnce(file, source)

  app.get('/:name/history', describeJson('What was in force, since when and by whose act', 200, History), async (c) => {
    const routine = c.req.param('name')
    const [row, entries] = [await face.ledger.routines.find(routine), await face.ledger.history.of(routine, shown)]
    if (!row && entries.length === 0) throw new NotFound('routine', routine, '`overnight routines` lists them')
    return c.json({
      routine,
      inForce: row?.hash ?? null,
      rolledBackFrom: row?.rolledBackFrom ?? null,
      entries: entries.map(({ at, ...entry }) => ({ ...entry, at: at.toISOString() })),
    })
  })

  app.post(
    '/look',
    describeJson('Looks at the routine files now; answers when what they say is in force', 200, Looked),
    async (c) => {
      await face.library.rescan()
      const { routines, problems } = face.library.snapshot()
      return c.json({ routines: routines.length, problems: problems.length })
    },
  )
  app.post(
    '/:name/rollback',
    describeJson('Puts an older version in force at once, until the file changes', 200, PutBack),
    validator('json', To, refuseInvalid),
    async (c) => {
      const { to } = c.req.valid('json')
      const asked = { routine: c.req.param('name')!, to, by: c.get('actor'), routineOf }
      return c.json(await told(face, rollBack(face.ledger, asked)))
    },
  )
  app.post('/:name/undo-rollback', describeJson("Puts the file's own text in force again", 200, PutBack), async (c) => {
    const asked = { routine: c.req.param('name'), by: c.get('actor'), routineOf }
    return c.json(await told(face, undoRollback(face.ledger, asked)))
  })
  return app
}

/** Whoever asks this process next shall see it; the others are told by the ledger. */
async function told(face: Face, act: ReturnType<typeof rollBack>): Promise<PutBackJson> {
  const { routine, hash, from } = await act
  await face.library.rescan()
  return { routine, hash, rolledBackFrom: from }
}
