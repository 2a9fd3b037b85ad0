import type { Connector, ConnectorUse } from './connector.ts'

type Tools = readonly string[] | null

/** Longer ones are no names of tools (MCP: 128 characters at most). */
const longestName = 200

/** May the agent of a routine call this tool? Both the connector's file and the routine must say so. */
export function mayCall({ tools }: Pick<Connector, 'tools'>, use: Pick<ConnectorUse, 'tools'>, tool: string): boolean {
  return tool.length <= longestName && isAmong(tools, tool) && isAmong(use.tools, tool)
}

/** Entries of a routine that its connector's file does not allow. A pattern is allowed where one of the file covers it whole. */
export function notAllowedBy({ tools }: Pick<Connector, 'tools'>, use: Pick<ConnectorUse, 'tools'>): string[] {
  return (use.tools ?? []).filter((entry) => !isAmong(tools, entry))
}

/** Does nothing say which tools? A pattern that begins with a star says as much. */
export function isOpen({ tools }: Pick<Connector, 'tools'>, use: Pick<ConnectorUse, 'tools'>): boolean {
  return [tools, use.tools].every((some) => some === null || some.some((entry) => entry.startsWith('*')))
}

/** A star of the entry is a character like others here, and only a star takes it: what covers the entry covers all it stands for. */
function isAmong(tools: Tools, entry: string): boolean {
  return tools === null || tools.some((pattern) => fits(pattern, entry))
}

/** `*` stands for any characters; no other has a meaning. In steps of at most the product of both lengths. */
function fits(pattern: string, text: string): boolean {
  let [at, star, resume, index] = [0, -1, 0, 0]
  while (index < text.length) {
    if (pattern[at] === '*') {
      star = at
      resume = index
      at += 1
    } else if (pattern[at] === text[index]) {
      at += 1
      index += 1
    } else if (star >= 0) {
      at = star + 1
      resume += 1
      index = resume
    } else return false
  }
  return /^\**$/.test(pattern.slice(at))
}
