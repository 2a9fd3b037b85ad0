import { formatProblem } from '../../../src/routines/format.ts'
import { readRoutine, type ReadOptions } from '../../../src/routines/reading/read.ts'
import type { Routine } from '../../../src/routines/routine.ts'
import { checkSchedule } from '../../../src/triggers/schedule/check-schedule.ts'

export const readOptions: ReadOptions = { defaultEngine: 'claude', checkSchedule, timezone: 'Europe/Berlin' }

/** A file that is valid and whose every key is available, with more front matter and another prompt. */
export function routineText(frontMatter = '', prompt = 'Tidy up.'): string {
  return `---\nrepository: ./shop\nengine: { name: command, command: [tidy] }\n${frontMatter}\n---\n${prompt}\n`
}

/** The problems as people read them; empty when the file is valid. */
export function problemsOf(text: string, file = 'x.md', options = readOptions): string[] {
  const read = readRoutine(file, text, options)
  return 'problems' in read ? read.problems.map(formatProblem) : []
}

export function readGood(text: string, options = readOptions): Routine {
  const read = readRoutine('/srv/routines/x.md', text, options)
  if ('problems' in read) throw new Error(read.problems.map(formatProblem).join('\n'))
  return read.routine
}

/** Milliseconds that this thread computed: other work on the machine does not count. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
