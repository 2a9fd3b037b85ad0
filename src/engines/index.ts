import { createCommandEngine } from './command.ts'
import type { Engine } from './engine.ts'

/** Every engine of this version, by the name routines use. */
export const engines: ReadonlyMap<string, Engine> = new Map(
  [createCommandEngine()].map((engine) => [engine.name, engine]),
)
