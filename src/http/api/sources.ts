import { Hono } from 'hono'
import { z } from 'zod'
import { formatProblem } from '../../routines/format.ts'
import { pollKey } from '../../triggers/poll/poller.ts'
import type { WebhookSource } from '../../routines/webhooks/source.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import type { Refusals } from '../hooks/refusals.ts'

export const Refused = z
  .object({ at: z.iso.datetime(), count: z.number().int().describe('Within about that minute.'), reason: z.string() })
  .nullable()
  .describe('The last time that events were refused.')

const Sources = z.object({
  sources: z.array(
    z.object({
      source: z.string(),
      description: z.string(),
      path: z.string().nullable().describe('Where its sender writes to; null = it only is asked.'),
      ready: z
        .boolean()
        .describe('false: what is sent there is refused, because no secret of it is there, or its last look failed.'),
      broken: z.boolean().describe('The file is; what is told here is its last good version.'),
      polling: z
        .object({
          everySeconds: z.number(),
          lookedAt: z.iso.datetime().nullable(),
          nextAt: z.iso.datetime(),
          failures: z.number().int().describe('One after the other, up to now.'),
          error: z.string().nullable().describe('Why the last look failed, or what it passed over.'),
        })
        .nullable(),
      refused: Refused,
    }),
  ),
  gitHub: z.object({ ready: z.boolean().describe('Is a secret for its webhooks set?'), refused: Refused }),
  problems: z.array(z.string()).describe('What is wrong in the files, each with its line and column.'),
})
export type SourcesJson = z.infer<typeof Sources>

/** Below `/v1/sources`: the files in `webhooks/`, as this process has them in force. */
export function sourcesApi({ webhooks, ledger, gitHubSecrets }: Face, refusals: Refusals) {
  const app = new Hono<{ Variables: { actor: string } }>()
  app.get('/', describeJson('Who may send events, and who is asked for them', 200, Sources), async (c) => {
    const { inForce: standing, broken, problems } = webhooks.snapshot()
    const inForce = [...standing.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const asked = await ledger.polls.list(inForce.filter(({ poll }) => poll !== null).map(pollKey))
    const rows = new Map(asked.map((row) => [row.source, row]))
    const polling = (source: WebhookSource) => {
      const row = source.poll && rows.get(pollKey(source))
      if (!row || !source.poll) return null
      const { lookedAt, nextAt, failures, error } = row
      const when = { lookedAt: lookedAt?.toISOString() ?? null, nextAt: nextAt.toISOString() }
      return { everySeconds: source.poll.everyMs / 1000, ...when, failures, error }
    }
    const refused = async (name: string) => {
      const last = await refusals.last(name)
      return last ? { ...last, at: last.at.toISOString() } : null
    }
    const gitHub = { ready: gitHubSecrets.current !== undefined, refused: await refused('github') }
    const isReady = async (source: WebhookSource, looks: { failures: number } | null) =>
      (looks?.failures ?? 0) === 0 && (source.ways.length === 0 || (await webhooks.secretsOf(source)).length > 0)
    const told = inForce.map(async (source) => ({
      source: source.name,
      description: source.description,
      path: source.ways.length === 0 ? null : `/hooks/${source.name}`,
      ready: await isReady(source, polling(source)),
      broken: broken.has(source.name),
      polling: polling(source),
      refused: await refused(source.name),
    }))
    return c.json({
      sources: await Promise.all(told),
      gitHub,
      problems: problems.map(formatProblem),
    } satisfies SourcesJson)
  })
  return app
}
