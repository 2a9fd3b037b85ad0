import { createCallbacks } from './callbacks.ts'
import type { Run } from './schema.ts'
import type { Database } from './store.ts'

/**
 * Every ending of a run passes here, inside the transaction that writes it, whoever ends it: what is owed because of it is
 * written with it. Safe to repeat.
 */
export async function recordEnding(tx: Database, run: Run): Promise<void> {
  await createCallbacks(tx).tell(run)
}
