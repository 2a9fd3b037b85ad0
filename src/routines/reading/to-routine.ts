import { listOf } from './availability.ts'
import { needsWalls } from './check-trifecta.ts'
import { conditionOf } from '../keys/condition.ts'
import { millisecondsOf } from '../keys/duration.ts'
import type { FrontMatter } from '../keys/front-matter.ts'
import { networkOf } from '../keys/network.ts'
import { paceOf } from '../keys/pace-keys.ts'
import type { GitHubTrigger, InputSpec, Routine, WebhookTrigger } from '../routine.ts'
import { bytesOf } from '../keys/size.ts'
import { understand, wordsOf } from '../schedule-words/written-schedule.ts'

type About = Pick<Routine, 'name' | 'file' | 'source' | 'hash' | 'prompt' | 'engine' | 'unavailable'> & {
  timezone: string
}

/** What was written, with every default filled in. */
export function toRoutine(written: FrontMatter, { timezone, ...about }: About): Routine {
  return {
    ...about,
    commit: null,
    description: written.description,
    schedules: schedulesOf(written, timezone),
    github: gitHubOf(written),
    webhooks: webhooksOf(written),
    after: written.on === 'manual' ? [] : listOf(written.on.after),
    api: written.on !== 'manual' && written.on.api,
    repository: listOf(written.repository)[0] ?? null,
    base: written.base ?? null,
    checkout: written.checkout,
    setup: written.setup.map(({ run, when, keep }) => ({ run, when: listOf(when), keep: listOf(keep) })),
    connectors: connectorsOf(written),
    inputs: Object.fromEntries(Object.entries(written.inputs).map(([name, input]) => [name, inputOf(input)])),
    sandbox: written.sandbox ?? null,
    network: networkOf(written.network),
    needsWalls: needsWalls(written),
    limits: limitsOf(written),
    caps: capsOf(written),
    overlap: overlapOf(written),
    concurrency: written.concurrency ?? null,
    debounce: debounceOf(written),
    pace: paceOf(written.pace, schedulesOf(written, timezone)[0]?.timezone ?? timezone),
    pauseAfter: written.pause_after,
    topic: written.topic,
    catchUp: {
      mode: written.catch_up.mode,
      maxAgeMs: millisecondsOf(written.catch_up.max_age),
      max: written.catch_up.max,
    },
    pullRequest: pullRequestOf(written.output),
    gate: gateOf(written.output),
  }
}

/** As expressions: plain words may be several. What is not understood was refused before. */
function schedulesOf({ on }: FrontMatter, machineZone: string): Routine['schedules'] {
  if (on === 'manual') return []
  return listOf(on.schedule).flatMap((schedule) => {
    const understood = understand(schedule)
    const crons = 'crons' in understood ? understood.crons : []
    const timezone = schedule.timezone ?? machineZone
    return crons.map((cron) => ({ cron, timezone, written: wordsOf(schedule) }))
  })
}

function gitHubOf({ on }: FrontMatter): GitHubTrigger[] {
  if (on === 'manual') return []
  return listOf(on.github).map((written) => {
    const { users = [], bots = [], forks = false } = written.allow ?? {}
    const rules = { allow: { users, bots, forks }, if: written.if ? conditionOf(written.if) : null }
    if ('command' in written) return { kind: 'command', word: written.command, ...rules }
    if ('label' in written) return { kind: 'label', name: written.label, ...rules }
    return { kind: 'event', event: written.event, actions: written.actions ?? null, ...rules }
  })
}

function limitsOf({ limits }: FrontMatter): Routine['limits'] {
  const { minutes, usd, turns, at_once } = limits
  return { minutes, usd: usd ?? null, turns: turns ?? null, atOnce: at_once ?? null }
}

function capsOf({ limits: { memory, cpus, processes, disk } }: FrontMatter): Routine['caps'] {
  return {
    ...(memory === undefined ? {} : { memoryBytes: bytesOf(memory) }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(processes === undefined ? {} : { processes }),
    ...(disk === undefined ? {} : { diskBytes: bytesOf(disk) }),
  }
}

/** `{ parallel: n }` is queue_all with n of them at a time. */
function overlapOf({ overlap }: FrontMatter): Routine['overlap'] {
  return typeof overlap === 'string' ? { mode: overlap, parallel: 1 } : { mode: 'queue_all', ...overlap }
}

function debounceOf({ debounce }: FrontMatter): Routine['debounce'] {
  if (debounce === undefined) return null
  const waitMs = millisecondsOf(debounce.wait)
  return { waitMs, maxMs: debounce.max === undefined ? 5 * waitMs : millisecondsOf(debounce.max) }
}

function webhooksOf({ on }: FrontMatter): WebhookTrigger[] {
  if (on === 'manual') return []
  return listOf(on.webhook).map(({ source, events, inputs = {}, subject, ...rules }) => ({
    source,
    events: events ?? null,
    if: rules.if ? conditionOf(rules.if) : null,
    inputs,
    subject: subject ?? null,
  }))
}

function connectorsOf({ connectors }: FrontMatter): Routine['connectors'] {
  return connectors.map((written) => {
    const { name, tools = null } = typeof written === 'string' ? { name: written } : written
    return { name, tools }
  })
}

function inputOf(input: FrontMatter['inputs'][string]): InputSpec {
  const { type, default: value, description, required } = input
  return {
    type,
    required: required ?? value === undefined,
    ...(value === undefined ? {} : { default: value }),
    ...(description === undefined ? {} : { description }),
  }
}

function gateOf(output: FrontMatter['output']): Routine['gate'] {
  const written = typeof output === 'string' ? undefined : output.pull_request
  return {
    paths: written?.paths === undefined ? null : [written.paths].flat(),
    maxFiles: written?.max_files ?? 100,
    maxBytes: bytesOf(written?.max_size ?? '4MB'),
  }
}

function pullRequestOf(output: FrontMatter['output']): Routine['pullRequest'] {
  if (typeof output === 'string') return { draft: true, labels: [], reviewers: [], title: null }
  const { draft, labels, reviewers, title } = output.pull_request
  return { draft, labels, reviewers, title: title ?? null }
}
