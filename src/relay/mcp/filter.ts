import { isRecord } from '../usage.ts'
import { parseExactly } from './exact-json.ts'
import { own } from './message.ts'

type Filtering = {
  /** An entry of the server's list of tools. */
  mayShow(listed: unknown): boolean
  /** Known secrets are replaced. */
  redact(text: string): string
}

/** What a server may tell by itself; the rest is about what agents do not have. */
const told = new Set(['notifications/progress', 'notifications/cancelled', 'notifications/tools/list_changed', 'ping'])

/**
 * What of a server's message goes to the agent, as it is written anew: of tools those that it may call, of what the server can do the
 * tools alone, and no request to the agent's client but a ping. undefined: nothing. Throws SyntaxError for what is no JSON.
 */
export function filterAnswer(text: string, filtering: Filtering): { text: string; answered: unknown[] } | undefined {
  const value = parseExactly(text)
  const all: unknown[] = Array.isArray(value) ? value : [value]
  const parts = all.flatMap<Record<string, unknown>>((part) => kept(part, filtering) ?? [])
  if (parts.length === 0) return undefined
  // A value stands in one of its forms in what we write, whatever escapes the server wrote it with.
  const clean = filtering.redact(JSON.stringify(Array.isArray(value) ? parts : parts[0]))
  JSON.parse(clean)
  return {
    text: clean,
    answered: parts.filter((part) => own(part, 'method') === undefined).map((part) => own(part, 'id')),
  }
}

function kept(part: unknown, { mayShow }: Filtering): Record<string, unknown> | undefined {
  if (!isRecord(part) || own(part, 'jsonrpc') !== '2.0') return undefined
  const method = own(part, 'method')
  if (method !== undefined) return typeof method === 'string' && told.has(method) ? part : undefined
  const result = own(part, 'result')
  if (!isRecord(result)) return part
  return { ...part, result: { ...result, ...toolsOf(result, mayShow), ...abilitiesOf(result) } }
}

function toolsOf(result: Record<string, unknown>, mayShow: Filtering['mayShow']): object {
  const tools = own(result, 'tools')
  return Array.isArray(tools) ? { tools: tools.filter((tool: unknown) => mayShow(tool)) } : {}
}

function abilitiesOf(result: Record<string, unknown>): object {
  const abilities = own(result, 'capabilities')
  if (!isRecord(abilities)) return {}
  return { capabilities: Object.hasOwn(abilities, 'tools') ? { tools: abilities['tools'] } : {} }
}
