import { z } from 'zod'

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
])
export type Schedule = z.output<typeof Schedule>

const plain = z.union([z.string(), z.number(), z.boolean()])
const Test = z.strictObject({
  eq: plain.optional().describe('Is exactly this.'),
  in: z.array(plain).min(1).optional().describe('Is one of these.'),
  glob: z.string().min(1).optional().describe('Fits this pattern; * is any text.'),
  exists: z.boolean().optional().describe('Is it there at all?'),
})

type Condition = { any?: Condition[] | undefined; all?: Condition[] | undefined; not?: Condition | undefined } & Record<
  string,
  unknown
>
/** Any other key is a path into the event, such as `pull_request.head.repo.fork`. */
const Condition: z.ZodType<Condition, Condition> = z
  .object({
    any: z
      .lazy(() => z.array(Condition).min(1))
      .optional()
      .describe('At least one of these holds.'),
    all: z
      .lazy(() => z.array(Condition).min(1))
      .optional()
      .describe('All of these hold.'),
    not: z
      .lazy(() => Condition)
      .optional()
      .describe('This does not hold.'),
  })
  .catchall(Test)

export const GitHubTrigger = z.strictObject({
  event: z
    .string()
    .regex(/^[a-z_]+$/, 'must be the name of a GitHub event, such as pull_request')
    .describe('Name of the event.'),
  actions: z.array(z.string().min(1)).min(1).optional().describe('Only these actions of it.'),
  if: Condition.optional().describe('Conditions on the event; any, all and not may be nested.'),
})

export const WebhookTrigger = z.strictObject({
  source: z.string().min(1).describe('A file in webhooks/, without .yaml.'),
})
