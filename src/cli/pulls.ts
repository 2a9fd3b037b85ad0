import type { Command } from 'commander'
import type { Pull } from '../forges/forge.ts'
import { connect } from './client.ts'
import { visible } from './events.ts'
import type { Context } from './context.ts'
import { table } from './table.ts'

export function addPulls(program: Command, context: Context): void {
  program
    .command('pulls')
    .argument('[pull]', 'id: print its diff')
    .description('list the pull requests of the local forge, or show the diff of one')
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
      const { pulls } = await client.json<{ pulls: Pull[] }>(`/v1/pulls${query}`)
      if (options.json) return context.out(`${JSON.stringify(pulls)}\n`)
      if (pulls.length === 0) return context.out('no pull requests\n')
      const rows = pulls.map((pull) => [pull.id, pull.state, pull.branch, visible(pull.title)])
      context.out(table([['pull', 'state', 'branch', 'title'], ...rows]))
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
