import { createRequire } from 'node:module'

/**
 * For drizzle-orm and the store that it drives: Node 24 parses the 180 KB of its package.json anew for each of its ES modules, half a
 * second of every start. Its CommonJS is the same code and takes 50 ms.
 */
export const load = createRequire(import.meta.url)
