import type { EngineEvent } from '../../src/engines/engine.ts'

/** The words of what was told, be it speech or what a tool got or answered; nothing for the rest. */
export function spoken(event: EngineEvent): string {
  if (!('content' in event)) return ''
  return [event.content]
    .flat()
    .map((part) => (part.type === 'text' ? part : part.content).text)
    .join('\n')
}
