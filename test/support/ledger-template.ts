import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ensureCluster } from '../../src/ledger/cluster.ts'

/** What decides how a new store looks: when one of these changes, a new template is made. */
const made = ['src/ledger/cluster.ts', 'node_modules/@electric-sql/pglite/package.json']

/** A new, empty store at `folder`, copied from one that was made once on this machine: making one takes seconds. */
export async function putFreshLedger(folder: string): Promise<void> {
  await cp(await ensureTemplate(), folder, { recursive: true })
}

async function ensureTemplate(): Promise<string> {
  const hash = createHash('sha256').update(process.execPath)
  for (const file of made) hash.update(await readFile(resolve(import.meta.dirname, '../..', file)))
  const template = join(tmpdir(), `overnight-test-ledger-${hash.digest('hex').slice(0, 12)}`)
  if (await stat(template).catch(() => undefined)) return template
  const mine = `${template}.${process.pid}`
  await mkdir(mine, { recursive: true })
  await ensureCluster(join(mine, 'ledger'))
  // Of two that made it at once the first one stays.
  await rename(join(mine, 'ledger'), template).catch(() => {})
  await rm(mine, { recursive: true, force: true })
  return template
}
