import { z } from 'zod'
import { WrittenCondition } from './condition.ts'

const timezone = z
  .string()
  .min(1)
  .optional()
  .describe('An IANA zone such as Europe/Berlin; default: the zone of the machine.')

export const Schedule = z.union([
  z.strictObject({
    cron: z
      .string('must be cron in quotes, such as "0 2 * * 1-5"')
      .min(1)
      .describe('Five fields: minute, hour, day of month, month, day of week.'),
    timezone,
  }),
  z.strictObject({ every: z.string().min(1).describe('Plain words, such as weekday at 02:00.'), timezone }),
  z.strictObject({
    at: z
      .string('must be a date and time such as 2026-12-01T09:00')
      .min(1)
      .describe('Once, at this date and time, such as 2026-12-01T09:00.'),
    timezone,
  }),
])
export type Schedule = z.output<typeof Schedule>

const login = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*(\[bot\])?$/, 'must be a login such as mona or renovate[bot]')

/** Who else may cause a run, beside people who may write to the repository. */
const Allow = z.strictObject({
  users: z.array(login).min(1).optional().describe('People who need no right to write.'),
  bots: z.array(login).min(1).optional().describe('Bots, such as renovate[bot].'),
  forks: z.boolean().optional().describe('May pull requests from forks?'),
})
const rules = {
  if: WrittenCondition.optional().describe('Conditions on the event; any, all and not may be nested.'),
  allow: Allow.optional().describe('Who else may cause a run; default: only people who may write to the repository.'),
}

export const GitHubTrigger = z.union([
  z.strictObject({
    event: z
      .string()
      .regex(/^[a-z][a-z0-9_]*$/, 'must be the name of a GitHub event, such as pull_request')
      .describe('Name of the event.'),
    actions: z.array(z.string().min(1)).min(1).optional().describe('Only these actions of it.'),
    ...rules,
  }),
  z.strictObject({
    command: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,40}$/, 'must be one word: small letters, digits and -')
      .describe('A comment that begins with @overnight and this word.'),
    ...rules,
  }),
  z.strictObject({
    label: z.string().min(1).max(100).describe('This label is added to an issue or a pull request.'),
    ...rules,
  }),
])
export type GitHubTrigger = z.output<typeof GitHubTrigger>

export const WebhookTrigger = z.strictObject({
  source: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the name of a file in webhooks/, without .yaml')
    .describe('A file in webhooks/, without .yaml.'),
  events: z.array(z.string().min(1)).min(1).max(100).optional().describe('Only these kinds of event; default all.'),
  if: rules.if,
  inputs: z
    .record(z.string(), z.string().max(1000))
    .optional()
    .describe('Inputs that the event gives, such as "{{ event.project.slug }}".'),
  subject: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      'What it is about, such as "{{ event.data.identifier }}": one open pull request each; default: the topic.',
    ),
})
export type WebhookTrigger = z.output<typeof WebhookTrigger>

/** Endings that a routine may follow; a run that was skipped did nothing. */
const ends = ['published', 'reported', 'unchanged', 'failed', 'timed_out', 'cancelled'] as const

export const AfterTrigger = z.strictObject({
  routine: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the name of a routine: its file without .md')
    .describe('Name of the other routine.'),
  ends: z.array(z.enum(ends)).min(1).default(['published', 'reported']).describe('How its run has to end.'),
})
