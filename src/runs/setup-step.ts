import type { SetupStep } from '../routines/routine.ts'
import type { Exit, ExitCause } from '../sandboxes/sandbox.ts'
import { lastLine } from './endings.ts'

/** What of it is kept; what lies in something else that is kept needs no mention. */
export function keptOf({ keep }: Pick<SetupStep, 'keep'>): string[] {
  const paths = [...new Set(keep.map((path) => path.replace(/\/$/, '')))]
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
}

const titleCharacters = 60

/** How people are told of a step: the first line of its command. */
export function titleOf({ run }: Pick<SetupStep, 'run'>): string {
  const written = typeof run === 'string' ? run : run.join(' ')
  const [line = ''] = written.trim().split('\n')
  const isWhole = line.length <= titleCharacters && line === written.trim()
  return isWhole ? line : `${line.slice(0, titleCharacters - 1)}…`
}

/** A command line stops at the first command in it that fails. */
export function argvOf({ run }: Pick<SetupStep, 'run'>): readonly string[] {
  return typeof run === 'string' ? ['/bin/sh', '-ec', run] : run
}

const causes: Readonly<Record<Exclude<ExitCause, 'sandbox_lost'>, string>> = {
  out_of_memory: 'needed more memory than it may have (limits.memory)',
  too_many_processes: 'wanted more processes than it may have (limits.processes)',
  out_of_room: 'wrote more than there is room for (limits.disk)',
}

/** How a command failed, as the rest of a sentence that begins with it. */
export function failureOf({ code, signal, cause }: Exit, said: string): string {
  const line = lastLine(said)
  const saying = line === null ? '' : `, saying “${line}”`
  if (cause !== undefined && cause !== 'sandbox_lost') return causes[cause] + saying
  return `${signal === null ? `ended with code ${code}` : `was ended by ${signal}`}${saying}`
}

export function secondsSince(since: number): string {
  const seconds = (performance.now() - since) / 1000
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
}

export function megabytes(bytes: number): string {
  const size = bytes / 1024 ** 2
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} MB`
}
