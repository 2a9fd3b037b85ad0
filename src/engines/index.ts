import { createClaudeEngine } from './claude.ts'
import { createCommandEngine } from './command.ts'
import type { Engine } from './engine.ts'

/** Every engine of this version, by the name routines use. `path` is the operator's PATH, where their agents are installed. */
export function createEngines({ path }: { path: string }): ReadonlyMap<string, Engine> {
  return new Map([createCommandEngine(), createClaudeEngine({ path })].map((engine) => [engine.name, engine]))
}
