import type { Command } from 'commander'
import { isEnded } from '../runs/states.ts'
import type { RunRowJson } from '../http/api/run-json.ts'
import { connect } from './client.ts'
import { eventsOf, lineOf } from './events.ts'
import type { Context } from './context.ts'

export function addLogs(program: Command, context: Context): void {
  program
    .command('logs')
    .argument('<run>', 'id, or the beginning of one')
    .description('what a run did and said')
    .option('-f, --follow', 'go on until the run has ended')
    .option('--json', 'print one JSON object a line')
    .action(async (id: string, options: { follow?: true; json?: true }) => {
      await using client = await connect(context)
      const run = await client.json<RunRowJson>(`/v1/runs/${encodeURIComponent(id)}`)
      const abort = new AbortController()
      context.onSignal(() => abort.abort())
      const follow = options.follow === true && !isEnded(run.state)
      try {
        for await (const event of eventsOf(client, run.run, { signal: abort.signal, follow })) {
          const line = options.json
            ? `${JSON.stringify({ event: event.event, ...JSON.parse(event.data) })}\n`
            : lineOf(event)
          if (line !== undefined) context.out(line)
        }
      } catch (error) {
        if (!abort.signal.aborted) throw error
      }
    })
}
