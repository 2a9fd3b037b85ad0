import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { readDefinitionTexts } from '../../routines/definitions/definitions.ts'
import { connectorKind } from '../../routines/connectors/connectors.ts'
import { sourceKind } from '../../routines/webhooks/sources.ts'
import { planAgainst } from '../../triggers/plan-against.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { BodyTooLarge, refuseInvalid } from '../refuse.ts'

const InForce = z.object({
  routines: z.array(z.object({ name: z.string(), hash: z.string().describe('SHA-256 of the text in force, hex.') })),
})
export type InForceJson = z.infer<typeof InForce>
const Written = z.strictObject({
  entry: z.string().min(1).max(255).describe('Name of the file, such as tidy.md.'),
  text: z.string(),
})
const Files = z.strictObject({
  files: z.array(Written),
  same: z.array(z.string()).default([]).describe('Names of routines whose text is the one in force.'),
  sources: z.array(Written).optional().describe('All of webhooks/; left out, nothing is said of webhook sources.'),
  connectors: z.array(Written).optional().describe('All of connectors/; left out, nothing is said of connectors.'),
})
export type FilesJson = z.input<typeof Files>
const Fact = z.object({ what: z.string(), before: z.string().nullable(), after: z.string().nullable() })
const Planned = z.object({
  name: z.string(),
  change: z.enum(['added', 'changed', 'removed', 'broken']),
  stays: z.boolean().describe('Of a broken one: is a version of it in force, which would stay?'),
  facts: z.array(Fact),
  problems: z.array(z.string()),
})
const Plan = z.object({
  routines: z.array(
    Planned.extend({
      next: z.array(z.string()),
      words: z.string().describe('The texts word by word, as `git diff --word-diff` writes it.'),
      warnings: z.array(z.string()),
    }),
  ),
  sources: z.array(Planned).describe('Webhook sources that would not stay as they are.'),
  connectors: z.array(Planned).describe('Connectors that would not stay as they are.'),
  counts: z.object({
    added: z.number().int(),
    changed: z.number().int(),
    removed: z.number().int(),
    broken: z.number().int(),
    unchanged: z.number().int(),
  }),
})

/** Ten thousand routines, and some of them long. */
const maxKilobytes = 64 * 1024
export const planLimit = bodyLimit({
  maxSize: maxKilobytes * 1024,
  onError: () => {
    throw new BodyTooLarge(maxKilobytes)
  },
})
/** `/v1/plan`: what would change if files were put in force. Nothing is changed, and nothing runs. */
export function planApi(face: Face) {
  const app = new Hono()

  app.get('/in-force', describeJson('The version of each routine in force', 200, InForce), async (c) => {
    const rows = await face.ledger.routines.standing()
    return c.json({ routines: rows.map(({ name, hash }) => ({ name, hash })) })
  })

  app.post(
    '/',
    describeJson('What would change if these files were all there is', 200, Plan),
    validator('json', Files, refuseInvalid),
    async (c) => {
      const { files, same, ...beside } = c.req.valid('json')
      const kept = new Set(same)
      const [webhooks, servers] = [face.webhooks.snapshot(), face.connectors.snapshot()]
      const proposed = {
        files: face.readFiles(files),
        isSame: (name: string) => kept.has(name),
        sources:
          beside.sources && webhooks.isKnown
            ? { ...webhooks, files: readDefinitionTexts(sourceKind, beside.sources) }
            : undefined,
        connectors:
          beside.connectors && servers.isKnown
            ? { ...servers, files: readDefinitionTexts(connectorKind, beside.connectors) }
            : undefined,
      }
      return c.json(await planAgainst(face, proposed))
    },
  )
  return app
}
