import type { Command } from 'commander'
import { readLibrary } from '../routines/library.ts'
import { formatProblem } from '../routines/format.ts'
import { checkSchedule } from '../triggers/schedule/check-schedule.ts'
import { exitCodes, type Context } from './program.ts'

/** The folder as it is on disk now, without a service. */
export function readFolder(context: Context) {
  const { routinesDir, engine } = context.config()
  return readLibrary(routinesDir, { defaultEngine: engine, checkSchedule })
}
