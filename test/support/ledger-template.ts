import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore } from '../../src/ledger/store.ts'

const root = resolve(import.meta.dirname, '../..')
const migrations = 'src/ledger/migrations'

/** Puts an empty store with this version's tables at a path; the folder above is made. Making one takes seconds, so it is a copy of one made once. */
export async function putFreshLedger(ledger: string): Promise<void> {
  const template = await ensureTemplate()
  await mkdir(dirname(ledger), { recursive: true })
  // A thousand files: Node's own `cp` takes twice the time of one processor for them.
  await promisify(execFile)('cp', ['-a', template, ledger])
}

async function ensureTemplate(): Promise<string> {
  const template = join(tmpdir(), `overnight-test-ledger-${await hashOfMaking()}`)
  if (await stat(template).catch(() => undefined)) return template
  const mine = `${template}.${process.pid}`
  await mkdir(mine, { recursive: true })
  const store = await openStore({ ledger: join(mine, 'ledger') })
  await migrate(store)
  await store.close()
  // Of two that made it at once the first one stays.
  await rename(join(mine, 'ledger'), template).catch(() => {})
  await rm(mine, { recursive: true, force: true })
  return template
}

/** When one of these changes, a new template is made. */
async function hashOfMaking(): Promise<string> {
  const hash = createHash('sha256').update(process.execPath)
  const tables = (await readdir(join(root, migrations))).filter((name) => name.endsWith('.sql')).toSorted()
  const made = ['src/ledger/cluster.ts', 'node_modules/@electric-sql/pglite/package.json']
  // The journal says when each was made, by which a store knows what it has.
  for (const file of [...made, ...[...tables, 'meta/_journal.json'].map((name) => join(migrations, name))]) {
    hash.update(await readFile(join(root, file)))
  }
  return hash.digest('hex').slice(0, 12)
}
