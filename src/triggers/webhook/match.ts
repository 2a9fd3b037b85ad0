import { createHash } from 'node:crypto'
import type { Inputs, Routine, WebhookTrigger } from '../../routines/routine.ts'
import { replaceMarks } from '../../routines/prompt/template-marks.ts'
import { holds } from '../condition.ts'
import type { OutsideEvent, Verdict } from '../source.ts'
import { valueAt } from './places.ts'

const longestInput = 10_000
const longestSubject = 60

/** What a routine makes of an event that came by webhook or was found by looking: the first of its triggers that fits decides. */
export function match(event: Pick<OutsideEvent, 'source' | 'event' | 'payload'>, routine: Routine): Verdict {
  const trigger = routine.webhooks.find(
    (one) => isAbout(one, event) && (one.if === null || holds(one.if, { payload: event.payload })),
  )
  if (!trigger) return { act: 'pass' }
  const inputs = inputsOf(trigger, routine, event.payload)
  const tooLong = Object.entries(inputs).find(([, value]) => typeof value === 'string' && value.length > longestInput)
  if (tooLong)
    return { act: 'refuse', reason: `the event's value for input "${tooLong[0]}" is over ${longestInput} characters` }
  const subject = trigger.subject === null ? '' : subjectOf(fill(trigger.subject, event.payload))
  return { act: 'fire', inputs, ...(subject === '' ? {} : { subject }) }
}

/** Its condition is another question. */
export function isAbout({ source, events }: WebhookTrigger, event: Pick<OutsideEvent, 'source' | 'event'>): boolean {
  return source === event.source && (events === null || events.includes(event.event))
}

/** What the event has nothing for is left out: then the routine's default counts. */
function inputsOf({ inputs }: WebhookTrigger, routine: Routine, payload: unknown): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, template]): [string, Inputs[string]][] => {
      const text = fill(template, payload)
      if (text === '' && template !== '') return []
      return [[name, text]]
    }),
  )
}

function fill(template: string, payload: unknown): string {
  return replaceMarks(template, ([, ...path]) => asText(valueAt(payload, path)))
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * A part of a branch's name. `ENG-12` becomes `eng_12`: what ends in - and a number would be the second try of another subject.
 * What loses something on the way gets a hash, so that two subjects stay two.
 */
export function subjectOf(written: string): string {
  const plain = written.trim().toLowerCase()
  const slug = plain
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, longestSubject)
    .replaceAll(/^-+|-+$/g, '')
    .replace(/-(\d+)$/, '_$1')
  if (slug.replace('_', '-') === plain || plain === '') return slug
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 8)
  return `${slug === '' ? 'subject' : slug}-x${hash}`
}
