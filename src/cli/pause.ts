import type { Command } from 'commander'
import type { HeldJson } from '../http/api/pauses.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'

type Options = { reason?: string; json?: true }

export function addPause(program: Command, context: Context): void {
  program
    .command('pause')
    .argument('[routine]', 'name of a routine; without it all of them')
    .description('nothing comes by itself any more: slots and events are recorded as skipped; `fire` still works')
    .option('--reason <words>', 'why, for whoever wonders')
    .option('--json', 'print JSON')
    .action(async (routine: string | undefined, { reason, json }: Options) => {
      const held = await act(context, { verb: 'pause', routine, body: reason === undefined ? {} : { reason } })
      if (json) return context.out(`${JSON.stringify(held)}\n`)
      context.out(`${held.changed ? 'paused' : 'was paused before'}: ${whom(held)}${why(held)}\n`)
    })

  program
    .command('resume')
    .argument('[routine]', 'name of a routine; without it all of them')
    .description('goes on from now; what passed meanwhile is not caught up with (`backfill` does that)')
    .option('--json', 'print JSON')
    .action(async (routine: string | undefined, { json }: Options) => {
      const held = await act(context, { verb: 'resume', routine, body: {} })
      if (json) return context.out(`${JSON.stringify(held)}\n`)
      context.out(`${held.changed ? 'resumed' : 'was not paused'}: ${whom(held)}\n`)
    })
}

type Act = { verb: 'pause' | 'resume'; routine: string | undefined; body: { reason?: string } }

async function act(context: Context, { verb, routine, body }: Act): Promise<HeldJson> {
  await using client = await connect(context)
  const path = routine === undefined ? '' : `/routines/${encodeURIComponent(routine)}`
  return client.post<HeldJson>(`/v1${path}/${verb}`, body)
}

function whom({ routine }: HeldJson): string {
  return routine ?? 'all routines'
}

function why({ paused }: HeldJson): string {
  return paused?.reason ? `, because ${visible(paused.reason)}` : ''
}
