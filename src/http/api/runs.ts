import { type Context, Hono } from 'hono'
import { describeRoute, validator } from 'hono-openapi'
import { randomUUID } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { NotFound } from '../../errors.ts'
import { type Run, runStates } from '../../ledger/schema.ts'
import { readInputs } from '../../routines/inputs.ts'
import { isEnded } from '../../runs/states.ts'
import type { Face } from '../face.ts'
import { describeJson } from './describe.ts'
import type { Asked } from '../access/programs.ts'
import { PromptJson, promptParts } from './prompt.ts'
import { aboutPull, pullKey } from './pull-key.ts'
import { refuseBadInputs, refuseInvalid } from '../refuse.ts'
import { maySee } from '../access/rights.ts'
import { eventJson, runJson, RunJson, RunRowJson, runRowJson, RunWholeJson, trialWords } from './run-json.ts'
import { followStory, readCursor, storyAfter, writeCursor, type StoryPart } from '../story.ts'
import { streamEvents } from '../stream.ts'
import { waitForEnd, waitKey } from './wait.ts'

const ListQuery = z.object({
  routine: z.string().optional(),
  state: z.enum(runStates).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})
const Once = z.strictObject({
  file: z
    .string()
    .refine(isAbsolute, 'must be an absolute path')
    .describe('Absolute path of the file the text came from; relative paths in it start there.'),
  text: z.string().max(262_144),
  repository: z.string().min(1).optional().describe('Works there, whatever the file says.'),
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  pull: pullKey,
  trial: z.boolean().default(false).describe(trialWords),
})

export function runsApi(face: Face) {
  const app = new Hono<Asked>()
  const now = () => face.ledger.now()
  const seenWith = (c: Context<Asked>) => (routine: string) => maySee(c.get('token'), routine)
  /** A run of a routine that a token is not for does not exist for it. */
  async function seen(c: Context<Asked>): Promise<Run> {
    const id = c.req.param('id')!
    const run = await face.acts.find(id)
    if (!seenWith(c)(run.routine)) throw new NotFound('run', id)
    return run
  }

  app.get(
    '/',
    describeJson('Runs, newest first', 200, z.object({ runs: z.array(RunRowJson) })),
    validator('query', ListQuery, refuseInvalid),
    async (c) => {
      const { routine, state, limit } = c.req.valid('query')
      const found = await face.ledger.runs.list({
        limit,
        ...(routine ? { routine } : {}),
        ...(c.get('token')?.routines ? { among: c.get('token')!.routines! } : {}),
        ...(state ? { states: [state] } : {}),
      })
      const [runs, at] = [await face.explainWaits(found, seenWith(c)), await now()]
      return c.json({ runs: runs.map((run) => runRowJson(run, at)) })
    },
  )

  app.post(
    '/',
    describeJson('Runs a routine file once, without putting it into the folder', 202, RunJson),
    validator('json', Once, refuseInvalid),
    async (c) => {
      const once = c.req.valid('json')
      const routine = face.readOnce(once.file, once.text)
      const inputs = refuseBadInputs(readInputs(routine.inputs, once.inputs))
      const fired = await face.acts.fire({
        routine,
        trigger: 'manual',
        key: `once:${randomUUID()}`,
        inputs,
        by: c.get('actor'),
        alone: true,
        trial: once.trial,
        ...aboutPull(routine, once.pull),
        ...(once.repository ? { repository: once.repository } : {}),
      })
      return c.json(runJson(await face.acts.find(fired.run!), await now()), 202)
    },
  )

  const described = describeJson('One run, with the last 100 events', [200, 202], RunWholeJson)
  app.get('/:id', described, validator('query', z.object(waitKey), refuseInvalid), async (c) => {
    const { wait } = c.req.valid('query')
    const found = await seen(c)
    const waiting = wait === undefined ? undefined : { seconds: wait, signal: c.req.raw.signal }
    const latest = (waiting && (await waitForEnd(face, found.id, waiting))) ?? found
    const [run = latest] = await face.explainWaits([latest], seenWith(c))
    const [events, changes] = await Promise.all([
      face.ledger.events.last(run.id, 100),
      face.ledger.publications.changesOf(run.id),
    ])
    const self = `/v1/runs/${run.id}`
    return c.json(
      {
        ...runRowJson(run, await now()),
        repository: run.repository,
        sandbox: run.sandbox,
        engine: run.engine,
        notes: run.notes,
        tokens: run.tokens,
        findings: changes?.findings ?? [],
        proposal: run.proposal,
        events: events.map(eventJson),
        links: { self, events: `${self}/events`, prompt: `${self}/prompt`, page: `/runs/${run.id}` },
      },
      waiting && !isEnded(run.state) ? 202 : 200,
    )
  })

  app.get(
    '/:id/diff',
    describeRoute({ summary: 'The change as a unified diff', responses: { 200: { description: 'text/x-diff' } } }),
    async (c) => {
      const run = await seen(c)
      const changes = await face.ledger.publications.changesOf(run.id)
      return c.text(changes?.diff ?? '', 200, { 'content-type': 'text/x-diff; charset=utf-8' })
    },
  )

  app.get(
    '/:id/events',
    describeRoute({
      summary:
        'Events and output of a run as they come (SSE); resumes by Last-Event-ID; ends with the run, or with `?follow=no` at once',
      responses: { 200: { description: 'text/event-stream' } },
    }),
    async (c) => {
      const run = await seen(c)
      const from = readCursor(c.req.header('last-event-id'))
      const follow = c.req.query('follow') !== 'no'
      return streamEvents(c, face.log, async (sse, signal) => {
        const parts = follow ? followStory(face, run.id, { from, signal }) : storyAfter(face, run.id, from)
        for await (const part of parts) {
          if (signal.aborted) return
          await (part.kind === 'idle' ? sse.write(': still here\n\n') : sse.writeSSE(sseOf(part)))
        }
      })
    },
  )

  app.get(
    '/:id/prompt',
    describeJson('What the agent was told, with what came from outside apart', 200, PromptJson),
    async (c) => {
      const run = await seen(c)
      const parts = await promptParts(face, run.id)
      if (!parts) throw new NotFound('prompt of run', run.id, 'its agent was told nothing yet, or it never started')
      return c.json({ run: run.id, parts } satisfies PromptJson)
    },
  )

  for (const act of ['approve', 'deny', 'cancel'] as const) {
    app.post(`/:id/${act}`, describeJson(`${act} the run`, 200, RunRowJson), async (c) => {
      const run = await face.acts[act](c.req.param('id'), c.get('actor'))
      return c.json(runRowJson(run, await now()))
    })
  }
  app.post(
    '/:id/retry',
    describeJson('A new run of the same routine text with the same inputs', 202, RunRowJson),
    async (c) => {
      const fired = await face.acts.retry(c.req.param('id'), c.get('actor'))
      return c.json(runRowJson(await face.acts.find(fired.run!), await now()), 202)
    },
  )
  return app
}

function sseOf(part: StoryPart): { id: string; event: string; data: string } {
  const id = writeCursor(part.cursor)
  if (part.kind === 'event') return { id, event: part.event.kind, data: JSON.stringify(eventJson(part.event)) }
  if (part.kind === 'left_out') return { id, event: 'left_out', data: JSON.stringify({ bytes: part.bytes }) }
  const event = part.line.sessionUpdate === 'agent_message_chunk' ? 'output' : part.line.sessionUpdate
  return { id, event, data: JSON.stringify(part.line) }
}
