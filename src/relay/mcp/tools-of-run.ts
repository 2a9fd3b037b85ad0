import { isRecord } from '../usage.ts'
import { own } from './message.ts'
import type { ConnectorWay } from './server-side.ts'

/** What an agent may call of one connector, and which entries it sees in the list of the server. */
export type ToolsOfRun = { mayCall(tool: string): boolean; mayShow(listed: unknown): boolean }

const mostReaders = 1000

/** Of a run that publishes nothing, those alone that the server's list says only read (MCP, ToolAnnotations): one is listed before it is called. */
export function toolsOfRun({ mayCall, onlyReads }: Pick<ConnectorWay, 'mayCall' | 'onlyReads'>): ToolsOfRun {
  const readers = new Set<string>()
  return {
    mayCall: (tool) => mayCall(tool) && (!onlyReads || readers.has(tool)),
    mayShow(listed) {
      const name = isRecord(listed) ? own(listed, 'name') : undefined
      if (!isRecord(listed) || typeof name !== 'string' || !mayCall(name)) return false
      if (!onlyReads) return true
      const notes = own(listed, 'annotations')
      const reads = isRecord(notes) && own(notes, 'readOnlyHint') === true
      if (reads && readers.size < mostReaders) readers.add(name)
      return readers.has(name)
    },
  }
}
