import { Hono } from 'hono'
import { z } from 'zod'
import { secretsIn } from '../../routines/definitions/sent-headers.ts'
import { formatProblem } from '../../routines/format.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'

const Connectors = z.object({
  connectors: z.array(
    z.object({
      connector: z.string(),
      description: z.string(),
      url: z.string().describe('Of the MCP server.'),
      tools: z.array(z.string()).nullable().describe('Names and patterns that agents may use; null = every tool.'),
      secrets: z.array(z.string()).describe('Names of the secrets that it is asked with.'),
      broken: z.boolean().describe('The file is; what is told here is its last good version.'),
    }),
  ),
  problems: z.array(z.string()).describe('What is wrong in the files, each with its line and column.'),
})
export type ConnectorsJson = z.infer<typeof Connectors>

/** Below `/v1/connectors`: the files in `connectors/`, as this process has them in force. */
export function connectorsApi({ connectors }: Pick<Face, 'connectors'>) {
  const app = new Hono<{ Variables: { actor: string } }>()
  app.get('/', describeJson('MCP servers that routines may have', 200, Connectors), (c) => {
    const { inForce, broken, problems } = connectors.snapshot()
    const told = [...inForce.values()]
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, description, url, tools, headers }) => ({
        connector: name,
        description,
        url,
        tools: tools === null ? null : [...tools],
        secrets: secretsIn(headers),
        broken: broken.has(name),
      }))
    return c.json({ connectors: told, problems: problems.map(formatProblem) } satisfies ConnectorsJson)
  })
  return app
}
