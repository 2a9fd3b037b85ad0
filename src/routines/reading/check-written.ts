import { listOf, schedulePath } from './availability.ts'
import { checkCheckout } from './check-checkout.ts'
import { checkTrifecta } from './check-trifecta.ts'
import { checkWebhooks } from './check-webhooks.ts'
import type { FrontMatter } from '../keys/front-matter.ts'
import type { Finding } from './issues.ts'
import { checkTemplate } from '../prompt/prompt.ts'
import { understand } from '../schedule-words/written-schedule.ts'

/** What is wrong with a schedule, as a sentence; undefined = nothing. */
export type CheckSchedule = (cron: string, timezone: string) => string | undefined
export type WrittenRules = {
  /** Of the routine. */
  name: string
  engine: string
  timezone: string
  checkSchedule: CheckSchedule
  repository: 'required' | 'optional'
}

/** A cron that is certainly right, to find out whether the zone is wrong. */
const anyCron = '0 0 * * *'

/** Rules about several keys together, which a schema cannot say. */
export function checkWritten(written: FrontMatter, rules: WrittenRules): Finding[] {
  return [
    ...checkSchedules(written, rules),
    ...checkRepository(written, rules),
    ...checkEngine(written, rules),
    ...checkInputs(written),
    ...checkConcurrency(written),
    ...checkAfter(written, rules),
    ...checkWebhooks(written),
    ...checkCheckout(written),
    ...checkConnectors(written),
    ...checkTrifecta(written),
  ]
}

function checkSchedules({ on }: FrontMatter, { timezone, checkSchedule }: WrittenRules): Finding[] {
  if (on === 'manual') return []
  const seen = new Set<string>()
  return listOf(on.schedule).flatMap((schedule, index): Finding[] => {
    const path = schedulePath(on.schedule, index)
    const zone = schedule.timezone ?? timezone
    const understood = understand(schedule)
    const wrong = (key: string, message: string): Finding[] => [{ path: [...path, key], at: 'value', message }]
    if ('error' in understood) return wrong(understood.key, understood.error)
    const wrongZone = checkSchedule(anyCron, zone)
    if (wrongZone !== undefined) return wrong('timezone', wrongZone)
    for (const cron of understood.crons) {
      const wrongCron = understood.key === 'at' ? undefined : checkSchedule(cron, zone)
      if (wrongCron !== undefined) return wrong(understood.key, wrongCron)
      const identity = JSON.stringify([cron, zone])
      if (seen.has(identity))
        return [{ path, at: 'value', message: 'this schedule is written twice', hint: 'remove one of them' }]
      seen.add(identity)
    }
    return []
  })
}

function checkRepository({ repository, output }: FrontMatter, rules: WrittenRules): Finding[] {
  const needsNone = typeof output === 'string'
  if (repository !== undefined || needsNone || rules.repository === 'optional') return []
  const hint =
    'write repository: with the path of a clone, relative to this file, in front matter between two lines ---'
  return [{ path: [], at: 'value', message: 'repository is missing', hint }]
}

function checkEngine({ engine }: FrontMatter, rules: WrittenRules): Finding[] {
  const needsCommand = rules.engine === 'command' || rules.engine === 'acp'
  const hasCommand = typeof engine === 'object' && 'command' in engine
  if (!needsCommand || hasCommand) return []
  const hint = `write engine: { name: ${rules.engine}, command: [program, argument] }`
  return [{ path: ['engine'], at: 'value', message: `the engine ${rules.engine} needs a command`, hint }]
}

function checkAfter({ on }: FrontMatter, { name }: WrittenRules): Finding[] {
  if (on === 'manual') return []
  return listOf(on.after).flatMap(({ routine }, index): Finding[] => {
    const path = ['on', 'after', ...(Array.isArray(on.after) ? [index] : []), 'routine']
    const hint = 'name another one; for a run that goes on and on write a schedule'
    return routine === name ? [{ path, at: 'value', message: 'a routine cannot follow itself', hint }] : []
  })
}

function checkConnectors({ connectors }: FrontMatter): Finding[] {
  const names = connectors.map((written) => (typeof written === 'string' ? written : written.name))
  return names.flatMap((name, index): Finding[] =>
    names.indexOf(name) === index
      ? []
      : [
          {
            path: ['connectors', index],
            at: 'value',
            message: `the connector ${name} is written twice`,
            hint: 'remove one of them',
          },
        ],
  )
}

/** What the key may be made of is known when it is fired. */
const keyRoots = ['inputs', 'event', 'slot']

function checkConcurrency({ concurrency, inputs }: FrontMatter): Finding[] {
  const faults = [...checkTemplate(concurrency ?? '', { inputs: Object.keys(inputs), roots: keyRoots })]
  return faults.map(({ index: _index, ...words }) => ({ path: ['concurrency'], at: 'value', ...words }))
}

/** What only a person or a program can give must not be missing when something else fires the routine. */
function checkInputs({ on, inputs }: FrontMatter): Finding[] {
  if (on === 'manual') return []
  const events = listOf(on.github)
  const isCommanded = events.length > 0 && events.every((trigger) => 'command' in trigger)
  const who = (name: string) => {
    if (listOf(on.schedule).length > 0) return 'a schedule'
    if (listOf(on.after).length > 0) return 'another routine'
    return events.length > 0 && !(isCommanded && name === 'text') ? 'an event' : undefined
  }
  return Object.entries(inputs)
    .filter(([name, input]) => who(name) && input.default === undefined && input.required !== false)
    .map(([name]) => ({
      path: ['inputs', name],
      at: 'key',
      message: `input "${name}" has no default, and ${who(name)} cannot give it`,
      hint: 'write a default, or required: false',
    }))
}
