import type { Command } from 'commander'
import { Conflict } from '../errors.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'

export function addSignIn(program: Command, context: Context): void {
  program
    .command('sign-in')
    .description('print a link that signs one browser in, once, within 15 minutes')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      await using client = await connect(context)
      if (client.live === undefined) throw new Conflict('no service is running', 'start it first: overnight up')
      const { path } = await client.post<{ path: string }>('/v1/sign-in-links')
      const { href } = new URL(path, client.live)
      context.out(options.json ? `${JSON.stringify({ url: href })}\n` : `${href}\n`)
    })
}
