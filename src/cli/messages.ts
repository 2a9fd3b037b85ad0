import type { Command } from 'commander'
import type { MessagesJson } from '../http/api/messages.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { localTime, table } from './table.ts'

export function addMessages(program: Command, context: Context): void {
  program
    .command('messages')
    .description('callbacks, alerts and plans of pull requests that were sent, are to be sent, or were given up')
    .option('--state <state>', 'owed, sent or given_up')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'print JSON')
    .action(async ({ state, limit, json }: { state?: string; limit: string; json?: true }) => {
      await using client = await connect(context)
      const query = new URLSearchParams({ limit, ...(state ? { state } : {}) })
      const { messages } = await client.json<MessagesJson>(`/v1/messages?${query.toString()}`)
      if (json) return context.out(`${JSON.stringify(messages)}\n`)
      if (messages.length === 0) return context.out('no messages\n')
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
      const rows = messages.map((one) => [
        one.id,
        localTime(one.createdAt, timeZone),
        one.state,
        String(one.tries),
        visible(one.url),
        visible(one.error ?? ''),
      ])
      context.out(table([['message', 'created', 'state', 'tries', 'to', 'why'], ...rows]))
    })

  program
    .command('resend')
    .argument('<message>', 'its id')
    .description('send a message again that was given up')
    .option('--json', 'print JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      await using client = await connect(context)
      const sent = await client.post<{ id: string }>(`/v1/messages/${encodeURIComponent(id)}/send`)
      context.out(json ? `${JSON.stringify(sent)}\n` : `${sent.id} is sent again\n`)
    })

  program
    .command('signing-secret')
    .description('print the secret by which receivers know that callbacks and alerts are ours')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      await using client = await connect(context)
      const answer = await client.json<{ secrets: string[] }>('/v1/signing-secret')
      context.out(json ? `${JSON.stringify(answer)}\n` : `${answer.secrets.join('\n')}\n`)
    })
}
