import type { Connector, ConnectorUse } from '../connectors/connector.ts'
import { headersText } from './source-facts.ts'

/** What a person wants to know of a connector before it is in force; null = it has no such rule. */
type ConnectorFacts = Record<'about' | 'asks' | 'sends' | 'tools', string | null>

export function connectorFactsOf({ description, url, headers, tools }: Connector): ConnectorFacts {
  return {
    about: description === '' ? null : description,
    asks: url,
    sends: headersText(headers),
    tools: tools?.join(', ') ?? 'every tool',
  }
}

/** Of a routine. */
export function connectorsText(connectors: readonly ConnectorUse[]): string | null {
  const told = connectors.map(({ name, tools }) => (tools === null ? name : `${name} (${tools.join(', ')})`))
  return told.length === 0 ? null : told.join('; ')
}
