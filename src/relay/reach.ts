import { isRecord } from './usage.ts'

/** Tools that the model only asks for and the agent itself carries out, and the search among them. All others act at the provider. */
const harmlessTools = /^(custom|bash_|text_editor_|computer_|memory_|tool_search_tool_)/

/**
 * What a request would make the provider fetch or run outside on the agent's behalf; undefined when nothing. An agent without a
 * network could otherwise send what it knows to any address, by way of the model: a server-side tool, a remote MCP server, a URL
 * in place of an image.
 */
export function reachesOut(request: Record<string, unknown>): string | undefined {
  for (const tool of listOf(request['tools'])) {
    const type = isRecord(tool) ? tool['type'] : undefined
    if (type !== undefined && !(typeof type === 'string' && harmlessTools.test(type)))
      return `the tool ${JSON.stringify(type).slice(0, 100)}`
  }
  if (listOf(request['mcp_servers']).length > 0) return 'mcp_servers'
  if (request['container'] !== undefined && request['container'] !== null) return 'a container'
  return hasUrlSource([request['messages'], request['system']]) ? 'a source that is a URL' : undefined
}

/** `source: { type: 'url' }` in a content block, however deep. */
function hasUrlSource(start: unknown): boolean {
  const open = [start]
  while (open.length > 0) {
    const value = open.pop()
    if (isRecord(value) && isRecord(value['source']) && value['source']['type'] === 'url') return true
    for (const inner of insideOf(value)) open.push(inner)
  }
  return false
}

/** What the model asked a tool for is its own words, not a block. */
function insideOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  if (!isRecord(value)) return []
  const { input, ...rest } = value
  return Object.values(value['type'] === 'tool_use' ? rest : { ...rest, input })
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}
