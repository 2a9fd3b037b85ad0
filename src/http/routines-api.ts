import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { validator } from 'hono-openapi'
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { BadRequest, NotFound, OvernightError } from '../errors.ts'
import { formatProblem } from '../routines/format.ts'
import { readInputs } from '../routines/inputs.ts'
import type { Routine } from '../routines/routine.ts'
import { upcoming } from '../triggers/schedule/upcoming.ts'
import { describeJson } from './describe.ts'
import type { Face } from './face.ts'
import { PauseJson, pauseJson } from './pauses-api.ts'
import { BodyTooLarge, refuseBadInputs, refuseInvalid } from './refuse.ts'

const RoutineJson = z.object({
  name: z.string(),
  description: z.string(),
  file: z.string(),
  hash: z.string(),
  commit: z.string().nullable(),
  repository: z.string().nullable(),
  engine: z.string(),
  schedules: z.array(z.object({ cron: z.string(), timezone: z.string() })),
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
const Fire = z.strictObject({
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
})
const Fired = z.object({
  firing: z.string(),
  outcome: z.string(),
  reason: z.string().nullable().describe('Why nothing was started, or what it joined.'),
  run: z.string().nullable(),
  fresh: z.boolean(),
  links: z.object({ run: z.string().nullable() }),
})

export function routinesApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()

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
      const left = inForce.filter(({ name }) => name > after)
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
        total: inForce.length,
        after: left.length > limit ? routines.at(-1)!.name : null,
        paused: whole ? pauseJson(whole) : null,
        problems,
      })
    },
  )

  app.post(
    '/:name/fire',
    bodyLimit({
      maxSize: 256 * 1024,
      onError: () => {
        throw new BodyTooLarge(256)
      },
    }),
    describeJson('Fires a routine; the same Idempotency-Key is the same firing, for ever', 202, Fired),
    validator('json', Fire, refuseInvalid),
    async (c) => {
      const byPerson = c.get('actor') === 'page' || c.req.header('overnight-client') === 'cli'
      const routine = mayFire(face, c.req.param('name')!, byPerson)
      const key = c.req.header('idempotency-key')
      if (key !== undefined && !/^[\x21-\x7e]{1,200}$/.test(key)) {
        throw new BadRequest('Idempotency-Key must be 1 to 200 visible ASCII characters', 'send a UUID')
      }
      const inputs = refuseBadInputs(readInputs(routine.inputs, c.req.valid('json').inputs))
      const fired = await face.acts.fire({
        routine,
        trigger: byPerson ? 'manual' : 'api',
        key: `api:${key ?? randomUUID()}`,
        inputs,
        by: c.get('actor'),
      })
      return c.json(
        {
          firing: fired.firing.id,
          outcome: fired.firing.outcome,
          reason: fired.firing.reason,
          run: fired.run,
          fresh: fired.fresh,
          links: { run: fired.run === null ? null : `/v1/runs/${fired.run}` },
        },
        202,
      )
    },
  )
  return app
}

/** People may always fire a routine; programs only where its file says `on: { api: true }`. */
function mayFire(face: Face, name: string, byPerson: boolean): Routine {
  const routine = findRoutine(face, name)
  if (!byPerson && !routine.api) throw new NotForPrograms(name)
  return routine
}

export function findRoutine(face: Face, name: string): Routine {
  const routine = face.library.snapshot().routines.find((known) => known.name === name)
  if (!routine) throw new NotFound('routine', name, '`overnight check` lists the files and what is wrong with them')
  return routine
}

class NotForPrograms extends OvernightError {
  constructor(name: string) {
    super(`routine ${JSON.stringify(name)} may not be fired by the API`, {
      code: 'forbidden',
      status: 403,
      hint: 'add `api: true` under `on:` in its file',
    })
  }
}
