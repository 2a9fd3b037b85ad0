import { z } from 'zod'
import { Argv } from './argv.ts'
import { Tools } from '../connectors/connector-keys.ts'
import { duration, millisecondsOf } from './duration.ts'
import { LimitsKeys } from './limits-keys.ts'
import { faultOf } from './network.ts'
import { Output } from './output.ts'
import { PaceKeys } from './pace-keys.ts'
import type { JsonSchema } from '../reading/schema-keys.ts'
import { SetupKeys } from './setup-keys.ts'
import { AfterTrigger, GitHubTrigger, Schedule, WebhookTrigger } from './trigger-keys.ts'

/** Names of routines, and everything else that becomes part of a branch name. */
export const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/
const overlaps = ['skip', 'queue_one', 'queue_all', 'cancel_running'] as const
/** Agents that need no `command`. */
const agents = ['claude', 'codex', 'gemini', 'opencode'] as const
const engineNames = [...agents, 'acp', 'command'] as const

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1)])

const NamedEngine = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('command').describe('Any program.'), command: Argv }),
  z.strictObject({ name: z.literal('acp').describe('An agent that speaks the Agent Client Protocol.'), command: Argv }),
  z.strictObject({
    name: z.enum(agents).describe('A coding agent.'),
    model: z.string().min(1).optional().describe('Passed to the agent as it is.'),
    effort: z.string().min(1).optional().describe('Passed to the agent as it is.'),
  }),
])
const Engine = z.union([z.enum(engineNames), NamedEngine])

const ConnectorName = z.string().regex(namePattern, 'must be the name of a file in connectors/, without .yaml')
const Connector = z.union([
  ConnectorName,
  z.strictObject({
    name: ConnectorName.describe('A file in connectors/, without .yaml.'),
    tools: Tools.optional().describe('The only tools the agent may use; default: all that the file allows.'),
  }),
])

const Input = z
  .strictObject({
    type: z.enum(['string', 'number', 'boolean']).default('string').describe('What kind of value.'),
    default: z.union([z.string(), z.number(), z.boolean()]).optional().describe('Used when none is given.'),
    description: z.string().max(500).optional().describe('Shown to whoever fills it in.'),
    required: z.boolean().optional().describe('Must it be given? Default: yes, unless it has a default.'),
  })
  .refine(({ type, default: value }) => value === undefined || typeof value === type, {
    path: ['default'],
    error: 'must fit the type of the input',
  })
  .refine((input) => !(input.required && input.default !== undefined), {
    path: ['required'],
    error: 'must not be true beside a default: the default would never be used',
  })

const Inputs = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'is no name for an input: a letter, then letters, digits and _'),
  Input,
)

const CatchUp = z.strictObject({
  mode: z
    .enum(['none', 'last', 'all'])
    .default('last')
    .describe('Which slots missed while nothing ran are made up for.'),
  max_age: duration.default('6h').describe('Older slots are recorded as missed.'),
  max: z.number().int().min(1).max(1000).default(100).describe('With all: how many at most, the newest ones.'),
})

const Debounce = z
  .strictObject({
    wait: duration.describe('It starts once nothing more came for this long.'),
    max: duration.optional().describe('It starts after this long whatever comes; default: five times wait.'),
  })
  .refine(({ wait, max }) => max === undefined || millisecondsOf(max) >= millisecondsOf(wait), {
    path: ['max'],
    error: 'must not be shorter than wait',
  })

const NetworkEntry = z.string().superRefine((entry, context) => {
  const fault = faultOf(entry)
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
})

const topicRule =
  'must be small letters, digits and -, and not end in - and a number: those are taken by pr-7, issue-7 and second tries'
/** git-check-ref-format(1), and no leading `-`, which would be an option. */
const branchRule =
  /^(?!-)(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))[^\s~^:?*[\\\0-\x1f\x7f/.][^\s~^:?*[\\\0-\x1f\x7f]*(?<![/.])$/

/** The front matter as people write it. Every object is strict; every key has its sentence, which the docs and editors show. */
export const FrontMatter = z.strictObject({
  description: z.string().max(500).default('').describe('One sentence for people: what this routine is for.'),
  on: z
    .union([
      z.literal('manual'),
      z.strictObject({
        schedule: oneOrMore(Schedule).optional().describe('Times at which it is due.'),
        github: oneOrMore(GitHubTrigger).optional().describe('Events of the repository on GitHub.'),
        webhook: oneOrMore(WebhookTrigger).optional().describe('Events of other services.'),
        after: oneOrMore(AfterTrigger).optional().describe('Other routines whose end makes it due.'),
        api: z.boolean().default(false).describe('May it be fired by HTTP?'),
      }),
    ])
    .default('manual')
    .describe('What makes it due. People may always fire it; without this key only they do.'),
  repository: oneOrMore(
    z.string().regex(/^[^\s\0-\x1f\x7f](?:[^\0-\x1f\x7f]*[^\s\0-\x1f\x7f])?$/, 'must be a path, owner/name or a URL'),
  )
    .optional()
    .describe('A path (relative to this file; starts with ./ or /), owner/name on the forge, or a URL; or a list.'),
  base: z
    .string()
    .max(200)
    .regex(branchRule, 'must be the name of a branch')
    .optional()
    .describe('The branch to start from; default: the HEAD.'),
  checkout: z
    .enum(['base', 'pull_request'])
    .default('base')
    .describe('What a run has before it: the base, or the pull request that fired it.'),
  engine: Engine.optional().describe('The coding agent; default: OVERNIGHT_ENGINE, else claude.'),
  setup: SetupKeys.default([]).describe(
    'Commands before the agent starts, where it starts; the first that fails ends the run.',
  ),
  connectors: z.array(Connector).max(20).default([]).describe('MCP servers that the agent may use.'),
  inputs: Inputs.default({}).describe('Values given when it is fired, for {{ inputs.name }} in the prompt.'),
  sandbox: z
    .enum(['docker', 'bubblewrap', 'kubernetes', 'process'])
    .optional()
    .describe('Where commands run: docker, bubblewrap or process; default: the first of these that starts here.'),
  network: z
    .union([z.enum(['none', 'open']), z.array(NetworkEntry)])
    .default('none')
    .describe('none, open, or a list of exact hosts and presets (registries, npm, pypi, …).'),
  allow_trifecta: z
    .boolean()
    .default(false)
    .describe('May text of strangers, a repository and a way out come together? Else check refuses it.'),
  limits: LimitsKeys.prefault({}).describe('When a run is ended, what it may take, and how many may be at work.'),
  overlap: z
    .union([
      z.enum(overlaps),
      z.strictObject({ parallel: z.number().int().min(1).max(100).describe('Runs at the same time.') }),
    ])
    .default('queue_one')
    .describe('What happens when it is due while it still runs.'),
  concurrency: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('Runs with the same key are held apart by overlap, such as "{{ event.number }}"; default: all of them.'),
  debounce: Debounce.optional().describe('Events that come in quick succession are one run with all of them.'),
  pace: PaceKeys.optional().describe('How far apart runs start, and when they may not; people are not held.'),
  pause_after: z
    .number()
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe('So many failures one after the other pause it; 0: never.'),
  catch_up: CatchUp.prefault({}).describe('What happens to slots that passed while nothing ran.'),
  topic: z
    .string()
    .regex(namePattern, topicRule)
    .refine((topic) => !/-\d+$/.test(topic), topicRule)
    .default('main')
    .describe('One open pull request a topic: the next run updates it.'),
  output: Output.prefault({}).describe('What a run leaves behind.'),
  success: z
    .array(z.strictObject({ run: z.string().min(1).describe('A command; code 0 means success.') }))
    .default([])
    .describe('Checks that must pass before the result counts.'),
})
export type FrontMatter = z.output<typeof FrontMatter>

/** For editors: the front matter as people write it. Draft 7, because that is what YAML language servers read. */
export function routineJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(FrontMatter, { io: 'input', target: 'draft-7' }) as JsonSchema
  return { title: 'Overnight routine', ...schema }
}
