import { z } from 'zod'
import { runFacts, runRowFacts } from '../../ledger/run-facts.ts'
import { runStates, type Run, type RunEvent } from '../../ledger/schema.ts'

export const trialWords =
  'All of the work is done for real, and nothing is published: the run ends `reported`, with what would have been posted.'

/** A run as `overnight run --json` prints it: exactly these keys, absent is null. */
export const RunJson = z.object({
  run: z.string(),
  state: z.enum(runStates),
  reason: z.string().nullable(),
  branch: z.string().nullable(),
  base: z.string().nullable(),
  commit: z.string().nullable(),
  pullRequest: z.object({ number: z.number().int(), url: z.string() }).nullable(),
  files: z.number().int().nullable(),
  costUsd: z.number().nullable(),
  seconds: z.number().nullable().describe('From the start of work to the end, or to now.'),
})
export type RunJson = z.infer<typeof RunJson>

export const RunRowJson = RunJson.extend({
  routine: z.string(),
  title: z.string().nullable(),
  message: z.string().nullable(),
  trigger: z.string(),
  trial: z.boolean().describe('It publishes nothing.'),
  waitsFor: z.string().nullable().describe('Of a queued run: what it waits for.'),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
})
export type RunRowJson = z.infer<typeof RunRowJson>

export const EventJson = z.object({
  id: z.number().int(),
  at: z.iso.datetime(),
  kind: z.string(),
  data: z.record(z.string(), z.unknown()),
})
const ProposalJson = z.object({
  branch: z.string(),
  base: z.string(),
  title: z.string(),
  body: z.string(),
  draft: z.boolean(),
  labels: z.array(z.string()),
  reviewers: z.array(z.string()),
  updates: z.int().nullable().describe('The number of the open pull request that would be updated.'),
})
export const RunWholeJson = RunRowJson.extend({
  repository: z.string().nullable(),
  sandbox: z.string().nullable(),
  engine: z.string(),
  notes: z.array(z.string()),
  tokens: z
    .object({ input: z.int(), output: z.int(), cacheRead: z.int(), cacheWrite: z.int() })
    .nullable()
    .describe('Of the model, all attempts together, counted outside the agent.'),
  findings: z.array(z.object({ rule: z.string(), path: z.string().nullable(), message: z.string() })),
  proposal: ProposalJson.nullable().describe('Of a trial: the pull request it would have made, or updated.'),
  events: z.array(EventJson).describe('The last 100.'),
  links: z.object({ self: z.string(), events: z.string(), prompt: z.string(), page: z.string() }),
})
export type RunWholeJson = z.infer<typeof RunWholeJson>

export const runJson = (run: Run, now: Date): RunJson => runFacts(run, now)
export const runRowJson = (run: Run, now: Date): RunRowJson => ({
  ...runRowFacts(run, now),
  waitsFor: run.state === 'queued' ? run.waitsFor : null,
})

export function eventJson(event: RunEvent): z.infer<typeof EventJson> {
  return { id: event.id, at: event.at.toISOString(), kind: event.kind, data: event.data }
}
