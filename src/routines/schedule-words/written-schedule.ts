import { readOneOff } from './one-off.ts'
import { readPlainWords } from './plain-words.ts'
import type { Schedule } from '../keys/trigger-keys.ts'

type Key = 'cron' | 'every' | 'at'
type Understood = { key: Key; crons: string[] } | { key: Key; error: string }

/** The expressions that a schedule stands for, in whichever words it was written; `key` is where they stand. */
export function understand(schedule: Schedule): Understood {
  if ('cron' in schedule) return { key: 'cron', crons: [schedule.cron.trim().split(/\s+/).join(' ')] }
  if ('every' in schedule) return { key: 'every', ...readPlainWords(schedule.every) }
  const read = readOneOff(schedule.at)
  return 'error' in read ? { key: 'at', ...read } : { key: 'at', crons: [read.cron] }
}

/** As people read it back: the cron expression, or the plain words that were written in its place. */
export function wordsOf(schedule: Schedule): string {
  if ('cron' in schedule) return schedule.cron.trim()
  return 'every' in schedule ? `every ${schedule.every.trim().replace(/^every\s+/i, '')}` : `at ${schedule.at.trim()}`
}
