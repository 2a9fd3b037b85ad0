import type { Command } from 'commander'
import type { ConnectorsJson } from '../http/api/connectors.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { fromHere } from './sources.ts'
import { table } from './table.ts'

export function addConnectors(program: Command, context: Context): void {
  program
    .command('connectors')
    .description('MCP servers that routines may have: where they are, and which tools agents may use')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      await using client = await connect(context)
      const found = await client.json<ConnectorsJson>('/v1/connectors')
      if (json) return context.out(`${JSON.stringify(found)}\n`)
      for (const problem of found.problems) context.out(`! ${visible(fromHere(problem, context.cwd))}\n`)
      if (found.connectors.length === 0) return context.out('no connectors\n')
      context.out(
        table(
          found.connectors.map(({ connector, url, tools, broken }) => [
            connector,
            url,
            `${tools?.join(' ') ?? 'every tool'}${broken ? ', the file is broken' : ''}`,
          ]),
        ),
      )
    })
}
