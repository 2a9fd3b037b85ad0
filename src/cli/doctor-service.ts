import type { AlertsJson } from '../http/api/alerts.ts'
import type { HookJson } from '../http/api/git-hub-hook.ts'
import type { MessagesJson } from '../http/api/messages.ts'
import type { SourcesJson } from '../http/api/sources.ts'
import type { WorkersJson } from '../http/api/workers.ts'
import { type Client, connect, findLive } from './client.ts'
import type { Context } from './context.ts'
import { lookAtHook } from './doctor-hook.ts'
import { visible } from './events.ts'

export type Finding = { what: string; ok: boolean; says: string; hint?: string }

/** The live service, as far as there is one, and what it owes. */
export async function lookAtService(context: Context): Promise<Finding[]> {
  const live = await findLive(context)
  if (!live) return [{ what: 'service', ok: false, says: 'not running (overnight up)' }]
  const up = { what: 'service', ok: true, says: `up at ${live.url}` }
  await using client = await connect(context)
  const { workers } = await client.json<WorkersJson>('/v1/workers')
  const slots = workers.filter(({ stopping }) => !stopping).reduce((sum, worker) => sum + worker.slots, 0)
  const says = `${workers.length} alive, ${slots} runs at a time`
  return [
    up,
    { what: 'workers', ok: slots > 0, says, hint: 'start one: overnight worker' },
    await alerts(client),
    await messages(client),
    await refusals(client),
    lookAtHook(await client.json<HookJson>('/v1/hooks/github')),
  ]
}

/** What should have happened and did not. */
async function alerts(client: Client): Promise<Finding> {
  const { alerts } = await client.json<AlertsJson>('/v1/alerts')
  const says = alerts.length === 0 ? 'none is open' : alerts.map(({ message }) => visible(message)).join('; ')
  return { what: 'alerts', ok: alerts.length === 0, says, hint: 'overnight alerts' }
}

/** What nobody took in three days. */
async function messages(client: Client): Promise<Finding> {
  const { messages } = await client.json<MessagesJson>('/v1/messages?state=given_up&limit=500')
  const says = messages.length === 0 ? 'none was given up' : `${messages.length} given up`
  return { what: 'messages', ok: messages.length === 0, says, hint: 'overnight messages --state given_up' }
}

const dayMs = 86_400_000

/** No fault by itself: anybody may send us what is refused. */
async function refusals(client: Client): Promise<Finding> {
  const { sources, gitHub } = await client.json<SourcesJson>('/v1/sources')
  const all = [{ source: 'github', refused: gitHub.refused }, ...sources]
  const lately = all.flatMap(({ source, refused }) =>
    refused && Date.now() - Date.parse(refused.at) < dayMs ? [`${source}: ${visible(refused.reason)}`] : [],
  )
  const says = lately.length === 0 ? 'none was refused since yesterday' : `refused, ${lately.join('; ')}`
  return { what: 'events', ok: lately.length === 0, says }
}
