import { createRead, type Grammar, type ReadDefinition } from '../definitions/read-definition.ts'
import { checkSent, type CheckUrl } from '../definitions/sent-headers.ts'
import type { Finding } from '../reading/issues.ts'
import { ConnectorFile, connectorJsonSchema } from './connector-keys.ts'
import type { Connector } from './connector.ts'

/** Set for each request by whoever sends it, or one connection's own (RFC 9110, 7.6.1; MCP, streamable HTTP). */
const ours =
  /^(accept|accept-encoding|connection|content-.*|expect|host|keep-alive|last-event-id|mcp-.*|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i

const grammar = (checkUrl: CheckUrl): Grammar<ConnectorFile, Connector> => ({
  noun: 'connector',
  example: 'linear.yaml',
  schema: ConnectorFile,
  jsonSchema: connectorJsonSchema,
  check: (written) => [...checkSent(written, [], checkUrl), ...checkNames(written)],
  make: ({ tools, ...same }, about) => ({ ...about, ...same, tools: tools ?? null }),
})

/**
 * A connector file's text as a Connector, or everything that is wrong with it. Pure; never throws. `file` names the connector.
 * `checkUrl` is for whoever checks a file where it will be used.
 */
export function readConnector(
  file: string,
  text: string,
  checkUrl: CheckUrl = () => undefined,
): ReadDefinition<Connector> {
  return createRead(grammar(checkUrl))(file, text)
}

function checkNames({ url, headers }: ConnectorFile): Finding[] {
  const names = Object.keys(headers)
  const small = names.map((name) => name.toLowerCase())
  const wrong = (name: string, message: string, hint: string): Finding => ({
    path: ['headers', name],
    at: 'key',
    message,
    hint,
  })
  return [
    ...names
      .filter((name) => ours.test(name))
      .map((name) => wrong(name, `the header ${name} is set for each request`, 'take it out')),
    ...names
      .filter((name, index) => small.indexOf(name.toLowerCase()) < index)
      .map((name) => wrong(name, `the header ${name} is written twice`, 'remove one of them')),
    ...(url.includes('#')
      ? [
          {
            path: ['url'],
            at: 'value' as const,
            message: 'there is a fragment in the address',
            hint: 'take # out, and what follows it',
          },
        ]
      : []),
  ]
}
