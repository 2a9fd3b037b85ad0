import type { Command } from 'commander'
import type { SourcesJson } from '../http/sources-api.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { localTime, table } from './table.ts'

export function addSources(program: Command, context: Context): void {
  program
    .command('sources')
    .description(
      'webhook sources: where they send to, whether they are ready, and how looking at those that are asked goes',
    )
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      await using client = await connect(context)
      const found = await client.json<SourcesJson>('/v1/sources')
      if (json) return context.out(`${JSON.stringify(found)}\n`)
      for (const problem of found.problems) context.out(`! ${visible(problem)}\n`)
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const { refused } = found.gitHub
      if (refused) context.out(`! github: ${refusedOf(refused, zone)}\n`)
      if (found.sources.length === 0) return context.out('no webhook sources\n')
      context.out(table(found.sources.map((source) => [source.source, source.path ?? 'asked', stateOf(source, zone)])))
    })
}

function stateOf({ ready, broken, polling, refused }: SourcesJson['sources'][number], zone: string): string {
  const asked =
    polling &&
    (polling.error === null
      ? `next look ${localTime(polling.nextAt, zone)}`
      : `${visible(polling.error)}; next look ${localTime(polling.nextAt, zone)}`)
  const parts = [
    ready ? 'ready' : 'its secret is not there',
    ...(broken ? ['the file is broken'] : []),
    ...(asked ? [asked] : []),
    ...(refused ? [refusedOf(refused, zone)] : []),
  ]
  return parts.join(', ')
}

type Refused = NonNullable<SourcesJson['gitHub']['refused']>
const refusedOf = ({ at, count, reason }: Refused, zone: string) =>
  `${count} refused at ${localTime(at, zone)}: ${visible(reason)}`
