import { writtenDuration } from '../keys/duration.ts'
import type { Blackout, Routine } from '../routine.ts'

export function overlapText({ overlap, concurrency }: Routine): string {
  const atOnce = overlap.parallel > 1 ? `, ${overlap.parallel} at once` : ''
  return `${overlap.mode}${atOnce}${concurrency === null ? '' : `, for each ${concurrency}`}`
}

export function debounceText({ debounce }: Routine): string | null {
  if (debounce === null) return null
  return `${writtenDuration(debounce.waitMs)} after the last event, ${writtenDuration(debounce.maxMs)} after the first at the latest`
}

export function paceText({ pace }: Routine): string | null {
  if (pace === null) return null
  const { jitterMs, cooldownMs, max, notBetween, zone } = pace
  const rules = [
    ...(jitterMs === 0 ? [] : [`up to ${writtenDuration(jitterMs)} later`]),
    ...(cooldownMs === 0 ? [] : [`${writtenDuration(cooldownMs)} apart`]),
    ...(max === null ? [] : [`${max.runs} in ${writtenDuration(max.perMs)}`]),
    ...notBetween.map((one) => `not ${blackoutText(one)} ${zone}`),
  ]
  return rules.length === 0 ? null : rules.join(', ')
}

/** What becomes of slots that passed while nothing ran; nothing else can be missed. */
export function missedText({ schedules, catchUp: { mode, maxAgeMs, max } }: Routine): string | null {
  if (schedules.length === 0) return null
  if (mode === 'none') return 'never made up for'
  const which = mode === 'last' ? 'the last is made up for' : `up to ${max} are made up for`
  return `${which}, at most ${writtenDuration(maxAgeMs)} old`
}

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

function blackoutText({ days, fromMinute, minutes }: Blackout): string {
  const on = days.length === 7 ? '' : `${days.map((day) => dayNames[day]).join(',')} `
  return `${on}${clockOf(fromMinute)}–${clockOf(fromMinute + minutes)}`
}

function clockOf(minute: number): string {
  const parts = [Math.floor(minute / 60) % 24, minute % 60]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}
