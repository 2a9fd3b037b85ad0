import type { Command } from 'commander'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { collectInput } from './run.ts'

type Fired = { firing: string; outcome: string; reason: string | null; run: string | null; fresh: boolean }

export function addFire(program: Command, context: Context): void {
  program
    .command('fire')
    .argument('<routine>', 'name of a routine in the folder')
    .description('fire a routine now')
    .option('--input <name=value>', 'an input (repeatable)', collectInput, {})
    .option('--key <key>', 'the same key is the same firing')
    .option('--json', 'print JSON')
    .action(async (routine: string, options: { input: Record<string, string>; key?: string; json?: true }) => {
      await using client = await connect(context)
      const fired = await client.post<Fired>(
        `/v1/routines/${encodeURIComponent(routine)}/fire`,
        { inputs: options.input },
        options.key ? { 'idempotency-key': options.key } : {},
      )
      if (options.json) return context.out(`${JSON.stringify(fired)}\n`)
      if (fired.run === null) return context.out(`${fired.outcome}: ${fired.reason}\n`)
      const again = fired.fresh ? '' : ' (this key was fired before)'
      if (fired.run === null) return context.out(`${fired.outcome}: ${fired.reason}${again}\n`)
      context.out(`${fired.outcome}: run ${fired.run}${again}\n`)
      if (client.live === undefined) context.err('no service is running: the run starts at the next `overnight up`\n')
      else context.err(`  → overnight logs -f ${fired.run}\n`)
    })
}
