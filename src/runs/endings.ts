import { basename } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { reasons } from '../errors.ts'
import type { Ending } from '../ledger/held-run.ts'
import type { Run, StoredPatch } from '../ledger/schema.ts'
import type { Routine } from '../routines/routine.ts'
import { leftOf } from './spending.ts'

export type AgentExit = NonNullable<Run['exit']>
export type PatchToPublish = Pick<StoredPatch, 'base' | 'tree' | 'pack' | 'findings'>

/** What the routine asks for and this version cannot do; a repository given for this run makes the file's own irrelevant. */
export function firstUnavailable(
  run: Pick<Run, 'repositoryOverride'>,
  { unavailable }: Pick<Routine, 'unavailable'>,
): Unavailable | undefined {
  return unavailable.find(({ key }) => !(key === 'repository' && run.repositoryOverride !== null))
}
type Unavailable = Routine['unavailable'][number]

export function notAvailable({ file, line, column, message, hint }: Unavailable): Ending {
  const where = `${basename(file)}:${line}:${column}`
  return { state: 'failed', reason: 'not_available', message: `${where}: ${message}${hint ? ` – ${hint}` : ''}` }
}

/** Of an agent that may not be started again, because earlier attempts of its run spent all that it may. */
export function spentBefore(
  run: Pick<Run, 'costUsd'>,
  { limits }: { limits: Pick<Routine['limits'], 'usd'> },
): Ending | undefined {
  if (run.costUsd === null || leftOf(limits.usd, run) !== 0) return undefined
  const message = `${reasons.budget}: earlier attempts spent ${run.costUsd.toFixed(4)} of ${limits.usd} USD`
  return { state: 'failed', reason: 'budget', message }
}

/** Somebody asked for it: a person, unless the ledger says why. */
export function cancelled({ reason, message }: Pick<Run, 'reason' | 'message'>): Ending {
  return { state: 'cancelled', reason: reason ?? 'cancelled', message: message ?? reasons.cancelled }
}

/** The ending that the agent's own ending decides, or the patch that is to be published. */
export function afterAgent(exit: AgentExit, patch: PatchToPublish | undefined): Ending | PatchToPublish {
  const kept = patch ? '; what it had changed is kept' : ''
  if (exit.because === 'time_limit')
    return { state: 'timed_out', reason: 'time_limit', message: `${reasons.time_limit}${kept}` }
  if (exit.failure) {
    const { reason, message } = exit.failure
    return { state: 'failed', reason, message: `${message}${kept}` }
  }
  if (exit.code !== 0) {
    const how = exit.signal ? `was ended by ${exit.signal}` : `ended with code ${exit.code}`
    const said = exit.said === null ? '' : `, saying “${exit.said}”`
    return { state: 'failed', reason: 'agent_exit', message: `the agent ${how}${said}${kept}` }
  }
  return patch ?? { state: 'unchanged', reason: null, message: 'nothing needed changing' }
}

/** The first line of what an agent said, without the marks of Markdown around it; null when there is none. */
export function firstLine(text: string): string | null {
  const line = text.split('\n').find((line) => line.trim() !== '') ?? ''
  return lastLine(line.replaceAll(/^[\s#>*_-]+|[*_]+(?=\W*$)/g, ''))
}

/** The last line that is not blank, without what a terminal would obey, at most 200 characters; null when there is none. */
export function lastLine(text: string): string | null {
  const plain = (line: string) =>
    stripVTControlCharacters(line)
      .replaceAll(/[\p{Cc}\p{Cf}]/gu, '')
      .trim()
  const lines = text.split('\n').map(plain)
  return lines.findLast((line) => line !== '' && !isNoise(line))?.slice(0, 200) ?? null
}

/** What a crashing Node prints below the sentence that says why. */
function isNoise(line: string): boolean {
  return /^(Node\.js v\d|at .*[:(]|[}\])];?$)/.test(line)
}

/** The sentence the pull request is titled with: the agent's own last words when they are a sentence, else the routine's. */
export function headline(lastLine: string | null, routine: Pick<Routine, 'name' | 'description'>): string {
  const said = lastLine ?? ''
  const isSentence = said.length >= 8 && said.length <= 100 && /^\p{L}/u.test(said) && said.includes(' ')
  if (isSentence) return said
  const firstLine = routine.description.split('\n')[0]?.trim() ?? ''
  return firstLine === '' ? routine.name : firstLine.slice(0, 100)
}
