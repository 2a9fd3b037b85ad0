import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Log } from '../log.ts'
import type { SandboxDriver } from '../sandboxes/sandbox.ts'

export type LeftoverTools = {
  ledger: Pick<Ledger, 'runs' | 'owed' | 'workers'>
  drivers: readonly Pick<SandboxDriver, 'name' | 'reap'>[]
  workDir: string
  removeFolder(path: string): Promise<void>
  log: Log
}

/**
 * At start, when the lock of the data folder is ours, whoever had it before is dead: its agents are killed, its leases end
 * now instead of later, and folders of runs that have ended are removed. What unfinished runs left is kept for their next worker.
 */
export async function healAfterKill(tools: LeftoverTools): Promise<void> {
  const { ledger, log } = tools
  const unfinished = new Set((await ledger.runs.unfinished()).map((run) => run.id))
  // One that ended in the last moment of the dead service may have left something, too.
  const ours = new Set([...unfinished, ...(await recent(tools))])
  await killLeftovers(tools, (run) => ours.has(run))
  // Its slots would count until its silence is long enough.
  await ledger.workers.prune(0)
  const expired = await ledger.owed.expireLeases()
  if (expired > 0) log.info({ runs: expired }, 'runs of a killed service are owed again')
  await removeFolders(tools, async (run) => !unfinished.has(run))
}

/**
 * The same where other processes may be at work: only what belongs to runs that have ended, because such a run never starts
 * again. What a lost attempt of an unfinished one left is its next worker's to clear.
 */
export async function sweepEnded(tools: LeftoverTools): Promise<void> {
  const unfinished = new Set((await tools.ledger.runs.unfinished()).map((run) => run.id))
  const ended = new Set((await recent(tools)).filter((run) => !unfinished.has(run)))
  await killLeftovers(tools, (run) => ended.has(run))
  await removeFolders(tools, async (run) => (await tools.ledger.runs.find(run))?.endedAt instanceof Date)
}

/** Ends what is left running on this machine of the runs that `owned` names. */
export async function killLeftovers(
  { drivers, log }: Pick<LeftoverTools, 'drivers' | 'log'>,
  owned: (run: string) => boolean,
): Promise<void> {
  for (const driver of drivers) {
    const killed = await driver.reap(owned)
    if (killed > 0) log.warn({ sandbox: driver.name, killed }, 'ended what a killed service had left running')
  }
}

async function recent({ ledger }: LeftoverTools): Promise<string[]> {
  return (await ledger.runs.list({ limit: 1000 })).map((run) => run.id)
}

async function removeFolders(
  { workDir, removeFolder, log }: LeftoverTools,
  isOver: (run: string) => Promise<boolean>,
): Promise<void> {
  for (const name of await readdir(workDir).catch(() => [])) {
    if (!(await isOver(name))) continue
    await removeFolder(join(workDir, name)).catch((error: unknown) =>
      log.warn({ folder: join(workDir, name), error: messageOf(error) }, 'a folder of an ended run cannot be removed'),
    )
  }
}
