import type { Command } from 'commander'
import { join } from 'node:path'
import type { SourcesJson } from '../http/api/sources.ts'
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
      for (const problem of found.problems) context.out(`! ${visible(fromHere(problem, context.cwd))}\n`)
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const { refused } = found.gitHub
      if (refused) context.out(`! github: ${refusedOf(refused, zone)}\n`)
      if (found.sources.length === 0) return context.out('no webhook sources\n')
      context.out(table(found.sources.map((source) => [source.source, source.path ?? 'asked', stateOf(source, zone)])))
    })
}

/** A problem as the service words it, beginning with its file; one below the current folder as `check` prints it. */
export function fromHere(problem: string, cwd: string): string {
  const here = join(cwd, '/')
  return problem.startsWith(here) ? problem.slice(here.length) : problem
}

/** For a list: a source in one line. */
export function stateOf(source: SourcesJson['sources'][number], zone: string): string {
  const { broken, polling, refused } = source
  const next = polling && `next look ${localTime(polling.nextAt, zone)}`
  const looks = polling?.error ? `${visible(polling.error)}; ${next}` : next
  const parts = [
    readinessOf(source),
    ...(broken ? ['the file is broken'] : []),
    ...(looks ? [looks] : []),
    ...(refused ? [refusedOf(refused, zone)] : []),
  ]
  return parts.join(', ')
}

function readinessOf({ ready, polling }: SourcesJson['sources'][number]): string {
  if (ready) return 'ready'
  return polling && polling.failures > 0 ? 'not ready' : 'its secret is not there'
}

type Refused = NonNullable<SourcesJson['gitHub']['refused']>
const refusedOf = ({ at, count, reason }: Refused, zone: string) =>
  `${count} refused at ${localTime(at, zone)}: ${visible(reason)}`
