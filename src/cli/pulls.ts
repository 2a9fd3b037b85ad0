import type { Command } from 'commander'
import type { Pull } from '../forges/forge.ts'
import { connect } from './client.ts'
import { visible } from './events.ts'
import type { Context } from './context.ts'
import { table } from './table.ts'

/** On a forge with pages of its own: what became of it is told there. */
type Elsewhere = Pick<Pull, 'id' | 'url' | 'branch' | 'title'>

export function addPulls(program: Command, context: Context): void {
  program
    .command('pulls')
    .argument('[pull]', 'id: print its diff')
    .description('list pull requests, or show the diff of one of the local forge')
    .option('--state <state>', 'open, merged, closed or all', 'open')
    .option('--json', 'print JSON')
    .action(async (id: string | undefined, options: { state: string; json?: true }) => {
      await using client = await connect(context)
      if (id !== undefined) {
        const answer = await client.request(`/v1/pulls/${encodeURIComponent(id)}/diff`)
        if (!answer.ok) return void (await client.json(`/v1/pulls/${encodeURIComponent(id)}/diff`))
        return context.out(visible(await answer.text()))
      }
      const query = options.state === 'all' ? '' : `?state=${encodeURIComponent(options.state)}`
      const { pulls, elsewhere } = await client.json<{ pulls: Pull[]; elsewhere: Elsewhere[] }>(`/v1/pulls${query}`)
      if (options.json) return context.out(`${JSON.stringify([...pulls, ...elsewhere])}\n`)
      if (pulls.length + elsewhere.length === 0) return context.out('no pull requests\n')
      const rows = pulls.map((pull) => [pull.id, pull.state, pull.branch, visible(pull.title)])
      const others = elsewhere.map((pull) => [pull.id, 'see there', pull.branch, `${visible(pull.title)}  ${pull.url}`])
      context.out(table([['pull', 'state', 'branch', 'title'], ...rows, ...others]))
    })
  for (const [name, description] of [
    ['merge', 'merge a pull request into its base'],
    ['close', 'close a pull request without merging'],
  ] as const) {
    program
      .command(name)
      .argument('<pull>', 'id, as `overnight pulls` prints it')
      .description(description)
      .option('--json', 'print JSON')
      .action(async (id: string, options: { json?: true }) => {
        await using client = await connect(context)
        const pull = await client.post<Pull>(`/v1/pulls/${encodeURIComponent(id)}/${name}`)
        context.out(
          options.json
            ? `${JSON.stringify(pull)}\n`
            : `${pull.state}: ${visible(pull.title)} (${pull.branch} into ${pull.base})\n`,
        )
      })
  }
}
