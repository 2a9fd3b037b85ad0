import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { formatProblem } from '../../routines/format.ts'
import { upcoming } from '../../triggers/schedule/upcoming.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { PauseJson, pauseJson } from './pauses.ts'
import type { Asked } from '../access/programs.ts'
import { refuseInvalid } from '../refuse.ts'
import { maySee } from '../access/rights.ts'

const RoutineJson = z.object({
  name: z.string(),
  description: z.string(),
  file: z.string(),
  hash: z.string(),
  commit: z.string().nullable(),
  repository: z.string().nullable(),
  engine: z.string(),
  schedules: z.array(
    z.object({
      cron: z.string(),
      timezone: z.string(),
      written: z.string().describe('As the file says it: several entries may stand for the same words.'),
    }),
  ),
  api: z.boolean(),
  next: z.iso.datetime().nullable(),
  paused: PauseJson.nullable().describe('Held by itself; `paused` beside the list holds all of them.'),
  rolledBackFrom: z
    .string()
    .nullable()
    .describe("Hash of the file's own text: an older version was put back until it changes."),
  error: z.string().nullable().describe('Why the file on disk is not the version in force.'),
})
const ProblemInFile = z.object({
  file: z.string(),
  line: z.number().int(),
  column: z.number().int(),
  message: z.string(),
  hint: z.string().optional(),
})
const Folder = z.object({
  routines: z.array(RoutineJson),
  total: z.number().int(),
  after: z.string().nullable().describe('There are more: ask again with this as `after`.'),
  paused: PauseJson.nullable().describe('All routines are held.'),
  problems: z
    .array(ProblemInFile)
    .describe('Everything that is wrong in the folder, also in files that never were in force.'),
})
export type RoutinesJson = z.infer<typeof Folder>
const Page = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  after: z.string().max(100).optional(),
})

export function routinesApi(face: Face) {
  const app = new Hono<Asked>()

  app.get(
    '/',
    describeJson('The routines in force by name, a page at a time, and what is wrong in the folder', 200, Folder),
    validator('query', Page, refuseInvalid),
    async (c) => {
      const { limit, after = '' } = c.req.valid('query')
      const now = await face.ledger.now()
      const whole = await face.ledger.pauses.whole()
      const held = new Map((await face.ledger.pauses.list()).map((row) => [row.routine, row]))
      const { routines: inForce, broken, problems, rolledBack } = face.library.snapshot()
      const token = c.get('token')
      const mine = inForce.filter(({ name }) => maySee(token, name))
      const left = mine.filter(({ name }) => name > after)
      const routines = left.slice(0, limit).map((routine) => ({
        name: routine.name,
        description: routine.description,
        file: routine.file,
        hash: routine.hash,
        commit: routine.commit,
        repository: routine.repository,
        engine: routine.engine.name,
        schedules: routine.schedules,
        api: routine.api,
        next: upcoming(routine.schedules, now, 366).next().value?.at.toISOString() ?? null,
        paused: held.has(routine.name) ? pauseJson(held.get(routine.name)!) : null,
        rolledBackFrom: rolledBack.get(routine.name) ?? null,
        error: broken.get(routine.name)?.map(formatProblem).join('\n') ?? null,
      }))
      return c.json({
        routines,
        total: mine.length,
        after: left.length > limit ? routines.at(-1)!.name : null,
        paused: whole ? pauseJson(whole) : null,
        problems: token ? [] : problems,
      })
    },
  )

  return app
}
