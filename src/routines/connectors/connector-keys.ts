import { z } from 'zod'
import { AskedUrl, SentHeaders } from '../definitions/sent-headers.ts'
import type { JsonSchema } from '../reading/schema-keys.ts'

const Tool = z.string().regex(/^[\w./:*-]{1,128}$/, 'must be the name of a tool, or a pattern such as get_*')
export const Tools = z.array(Tool).min(1).max(200)

/** A file in `connectors/` as people write it. */
export const ConnectorFile = z.strictObject({
  description: z.string().max(500).default('').describe('One sentence for people: what agents find there.'),
  url: AskedUrl,
  headers: SentHeaders,
  tools: Tools.optional().describe('The only tools that agents may use: names, and patterns with *. Default: all.'),
})
export type ConnectorFile = z.output<typeof ConnectorFile>

/** For editors. Draft 7, because that is what YAML language servers read. */
export function connectorJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(ConnectorFile, { io: 'input', target: 'draft-7' }) as JsonSchema
  return { title: 'Overnight connector', ...schema }
}
