import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { isEnded } from '../../runs/states.ts'
import { describeJson } from './describe.ts'
import { eventKeys, eventOf } from './event-body.ts'
import type { Face } from '../face.ts'
import { fireByCall } from './fire-call.ts'
import type { Asked } from '../access/programs.ts'
import { pullKey } from './pull-key.ts'
import { BodyTooLarge, refuseInvalid } from '../refuse.ts'
import { RunRowJson, runRowJson, trialWords } from './run-json.ts'
import { waitForEnd, waitKey } from './wait.ts'

const limitKb = 256

const Fire = z.strictObject({
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  ...eventKeys,
  pull: pullKey,
  trial: z.boolean().default(false).describe(trialWords),
  callback: z
    .strictObject({ url: z.string().max(2048) })
    .optional()
    .describe('Is told, signed by Standard Webhooks, when the run has ended; at least once.'),
})
const Fired = z.object({
  firing: z.string(),
  outcome: z.string(),
  reason: z.string().nullable().describe('Why nothing was started, or what it joined.'),
  run: z.string().nullable().describe('The run it started or joined.'),
  fresh: z.boolean().describe('false: this key was fired before (Idempotent-Replay: true).'),
  links: z.object({ run: z.string().nullable() }),
  result: RunRowJson.nullable().describe('With `?wait`: the run as it is now.'),
})
export type FiredJson = z.infer<typeof Fired>

/** Below `/v1/routines`. */
export function fireApi(face: Face) {
  const app = new Hono<Asked>()
  app.post(
    '/:name/fire',
    bodyLimit({
      maxSize: limitKb * 1024,
      onError: () => {
        throw new BodyTooLarge(limitKb)
      },
    }),
    describeJson('Fires a routine; the same Idempotency-Key is the same firing, for ever', [202, 200], Fired),
    validator('query', z.object(waitKey), refuseInvalid),
    validator('json', Fire, refuseInvalid),
    async (c) => {
      const { inputs, callback, trial, pull, ...said } = c.req.valid('json')
      const { wait } = c.req.valid('query')
      const call = {
        routine: c.req.param('name')!,
        inputs,
        trial,
        pull,
        payload: eventOf(said),
        callback: callback?.url,
      }
      const { firing, run, fresh } = await fireByCall(face, c, call)
      const result =
        run === null || wait === undefined
          ? undefined
          : await waitForEnd(face, run, { seconds: wait, signal: c.req.raw.signal })
      const { id, outcome, reason } = firing
      const links = { run: run === null ? null : `/v1/runs/${run}` }
      const told = result ? runRowJson(result, await face.ledger.now()) : null
      const answer: FiredJson = { firing: id, outcome, reason, run, fresh, links, result: told }
      return c.json(answer, result && isEnded(result.state) ? 200 : 202)
    },
  )
  return app
}
