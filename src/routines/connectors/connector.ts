/** A file in `connectors/`: an MCP server that agents of this service may use. */
export type Connector = {
  name: string
  file: string
  description: string
  url: string
  /** Values may hold `secret:NAME`. */
  headers: Readonly<Record<string, string>>
  /** Names and patterns; null = every tool it has. */
  tools: readonly string[] | null
}

/** What a routine has of a connector. Its own `tools` narrow those of the file; null = what the file allows. */
export type ConnectorUse = { name: string; tools: readonly string[] | null }
