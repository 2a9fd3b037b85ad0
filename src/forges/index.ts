import { createLocalForge, type LocalForgeOptions } from './local.ts'

/** Every forge there is, by name. */
export function openForges(options: LocalForgeOptions) {
  return { local: createLocalForge(options) }
}
