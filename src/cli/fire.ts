import type { Command } from 'commander'
import { BadRequest } from '../errors.ts'
import type { FiredJson } from '../http/api/fire.ts'
import { isEnded, isGood } from '../runs/states.ts'
import { connect } from './client.ts'
import { type Context, exitCodes } from './context.ts'
import { visible } from './events.ts'
import { pullOption } from './pull-option.ts'
import { collectInput } from './run.ts'

/** What the options say about the occasion. */
export type Said = { input: Record<string, string>; text?: string; payload?: string; callback?: string; pull?: number }
type Options = Said & { key?: string; wait?: string; json?: true }

export function addFire(program: Command, context: Context): void {
  program
    .command('fire')
    .argument('<routine>', 'name of a routine in the folder')
    .description('fire a routine now')
    .option('--input <name=value>', 'an input (repeatable)', collectInput, {})
    .option('--text <words>', 'words for the prompt, as event.text')
    .option('--payload <json>', 'a JSON object, as event')
    .option(...pullOption)
    .option('--key <key>', 'the same key is the same firing')
    .option('--callback <url>', 'is told when the run has ended')
    .option('--wait <seconds>', 'wait so long for the end of the run')
    .option('--json', 'print JSON')
    .action(async (routine: string, options: Options) => {
      await using client = await connect(context)
      const { key, wait } = options
      const query = wait === undefined ? '' : `?${new URLSearchParams({ wait }).toString()}`
      // Without a service nobody would work on it meanwhile.
      const path = `/v1/routines/${encodeURIComponent(routine)}/fire${client.live === undefined ? '' : query}`
      const headers = key === undefined ? undefined : { 'idempotency-key': key }
      const fired = await client.post<FiredJson>(path, bodyOf(options), headers)
      context.exit(exitOf(fired))
      if (options.json) return context.out(`${JSON.stringify(fired)}\n`)
      context.out(`${sentenceOf(fired)}${fired.fresh ? '' : ' (this key was fired before)'}\n`)
      if (fired.run === null || isOver(fired)) return
      if (client.live === undefined) context.err('no service is running: the run starts at the next `overnight up`\n')
      else context.err(`  → overnight logs -f ${fired.run}\n`)
    })
}

export function bodyOf({ input, text, payload, callback, pull }: Said): Record<string, unknown> {
  return {
    inputs: input,
    ...(text === undefined ? {} : { text }),
    ...(payload === undefined ? {} : { payload: jsonOf(payload) }),
    ...(pull === undefined ? {} : { pull }),
    ...(callback === undefined ? {} : { callback: { url: callback } }),
  }
}

function jsonOf(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    throw new BadRequest('--payload is no JSON', `write it in quotes: --payload '{"severity": 3}'`)
  }
}

function sentenceOf({ outcome, reason, run, result }: FiredJson): string {
  if (run === null) return `${outcome}: ${reason}`
  if (!result) return `${outcome}: run ${run}`
  const why = result.message === null ? '' : ` – ${visible(result.message)}`
  return `${outcome}: run ${run} ${result.state}${why}`
}

const isOver = ({ result }: FiredJson) => result !== null && isEnded(result.state)

/** Who waited wants to know whether it went well. */
function exitOf(fired: FiredJson): number {
  return isOver(fired) && !isGood(fired.result!.state) ? exitCodes.theirs : exitCodes.ok
}
