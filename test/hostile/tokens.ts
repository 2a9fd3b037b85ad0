import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processesOf } from '../support/crew.ts'

/** Credentials of a run at work, as the machine's root sees them. */
export async function tokensOf(run: string): Promise<string[]> {
  const pids = await processesOf((environ) => environ.includes(`OVERNIGHT_RUN=${run}\0`), 'environ')
  const found = pids.flatMap((pid) => {
    const environ = readFileSync(join('/proc', String(pid), 'environ'), 'latin1')
    return [...environ.matchAll(/overnight-run-[0-9a-f]+/g)].map(([token]) => token)
  })
  return [...new Set(found)]
}
