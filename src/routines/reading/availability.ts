import type { FrontMatter } from '../keys/front-matter.ts'
import type { Path } from './yaml-tree.ts'

/** A thing a person wrote that passes the schema and cannot be done yet. */
export type NotYet = { path: Path; message: string; hint: string }

const ifAny = (condition: unknown, path: Path, words: { message: string; hint: string }): NotYet[] =>
  condition ? [{ path, ...words }] : []

/** Everything in the front matter that has no behaviour yet, so that nothing a person wrote is ignored silently. */
export function findUnavailable(written: FrontMatter, engine: string): NotYet[] {
  return [...places(written, engine), ...bounds(written, engine), ...results(written)]
}

function places({ repository, sandbox }: FrontMatter, engine: string): NotYet[] {
  return [
    ...ifAny(Array.isArray(repository), ['repository'], {
      message: 'several repositories are not available yet',
      hint: 'write one repository',
    }),
    ...ifAny(engine !== 'command' && engine !== 'claude', ['engine'], {
      message: `the engine ${engine} is not available yet`,
      hint: 'write engine: claude, or engine: { name: command, command: [...] }',
    }),
    ...ifAny(sandbox === 'kubernetes', ['sandbox'], {
      message: `the sandbox ${sandbox} is not available yet`,
      hint: 'write docker, bubblewrap or process, or leave it out',
    }),
  ]
}

function bounds({ limits }: FrontMatter, engine: string): NotYet[] {
  return [
    ...ifAny(engine !== 'claude' && limits.usd, ['limits', 'usd'], {
      message: `a limit on money is not available for the engine ${engine}`,
      hint: 'use limits.minutes',
    }),
    ...ifAny(engine !== 'claude' && limits.turns, ['limits', 'turns'], {
      message: `a limit on turns is not available for the engine ${engine}`,
      hint: 'use limits.minutes',
    }),
  ]
}

function results({ output, success }: FrontMatter): NotYet[] {
  const others =
    typeof output === 'string'
      ? [output]
      : (['issue', 'comment', 'review', 'check', 'report'] as const).filter((key) => output[key])
  return [
    ...others.flatMap((key) =>
      ifAny(true, typeof output === 'string' ? ['output'] : ['output', key], {
        message: `the output ${key} is not available yet`,
        hint: 'write output: { pull_request: {} }, or leave it out',
      }),
    ),
    ...ifAny(success.length > 0, ['success'], {
      message: 'success checks are not available yet',
      hint: 'let the agent run them',
    }),
  ]
}

export function listOf<T>(value: T | T[] | undefined): T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

/** Where the schedule with this index was written: alone or in a list. */
export function schedulePath(written: unknown, index: number): Path {
  return Array.isArray(written) ? ['on', 'schedule', index] : ['on', 'schedule']
}
