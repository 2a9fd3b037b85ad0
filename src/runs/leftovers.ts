import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Log } from '../log.ts'
import type { SandboxDriver } from '../sandboxes/sandbox.ts'

export type HealTools = {
  ledger: Ledger
  drivers: readonly Pick<SandboxDriver, 'name' | 'reap'>[]
  workDir: string
  removeFolder(path: string): Promise<void>
  log: Log
}

/**
 * At start, when the lock of the data folder is ours, whoever had it before is dead: its agents are killed, its leases end
 * now instead of later, and folders of runs that have ended are removed. What unfinished runs left is kept for their next worker.
 */
export async function healAfterKill({ ledger, drivers, workDir, removeFolder, log }: HealTools): Promise<void> {
  const unfinished = new Set((await ledger.runs.unfinished()).map((run) => run.id))
  // One that ended in the last moment of the dead service may have left something, too.
  const ours = new Set([...unfinished, ...(await ledger.runs.list({ limit: 1000 })).map((run) => run.id)])
  for (const driver of drivers) {
    const killed = await driver.reap((run) => ours.has(run))
    if (killed > 0) log.warn({ sandbox: driver.name, killed }, 'ended what a killed service had left running')
  }
  const expired = await ledger.owed.expireLeases()
  if (expired > 0) log.info({ runs: expired }, 'runs of a killed service are owed again')
  for (const name of await readdir(workDir).catch(() => [])) {
    if (unfinished.has(name)) continue
    await removeFolder(join(workDir, name)).catch((error: unknown) =>
      log.warn({ folder: join(workDir, name), error: messageOf(error) }, 'a folder of an ended run cannot be removed'),
    )
  }
}
