import type { RunRowJson } from '../http/api/run-json.ts'
import type { Client } from './client.ts'
import type { Context } from './context.ts'
import { eventsOf, lineOf } from './events.ts'

/** Tells on stderr what happens until the run has ended or rests; Ctrl-C cancels it. */
export async function follow(
  context: Context,
  client: Client,
  options: { run: string; quiet: boolean },
): Promise<void> {
  const { run, quiet } = options
  const abort = new AbortController()
  context.onSignal(() => {
    void client.post(`/v1/runs/${run}/cancel`).catch(() => abort.abort())
  })
  client.workOn(run)
  for await (const event of eventsOf(client, run, { signal: abort.signal })) {
    const line = quiet ? undefined : lineOf(event)
    if (line !== undefined) context.err(line)
    if (event.event === 'state' && (await isResting(client, run))) return
  }
}

/** The stream tells what was, too: an approved run once rested. */
async function isResting(client: Client, run: string): Promise<boolean> {
  return (await client.json<RunRowJson>(`/v1/runs/${run}`)).state === 'needs_approval'
}
