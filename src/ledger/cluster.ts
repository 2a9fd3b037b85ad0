import { execFile } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { PGlite } from '@electric-sql/pglite'
import { SetupError } from '../errors.ts'
import { createDurableFiles } from './durable-files.ts'

/** The PostgreSQL inside the embedded store: it reads the files of this major version alone. */
const version = '18'

/** Only the last `-c` of a name counts, so these win over the defaults before them. */
export const startParams = [
  // `-F` turns fsync off.
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...[
    'fsync=on',
    'wal_sync_method=fsync',
    'synchronous_commit=on',
    // The default of 128 MB is touched page by page and never given back.
    'shared_buffers=16MB',
    // How much log is kept for reuse after a checkpoint.
    'min_wal_size=32MB',
    'max_wal_size=64MB',
    // The queue's own tables are in the schema bullmq; the ledger's win.
    'search_path=public,bullmq',
  ].flatMap((setting) => ['-c', setting]),
]

/**
 * Makes sure that `folder` holds a complete store, on disk. A new one is made beside it and renamed, so that a crash
 * in between leaves nothing half made. Throws SetupError for a folder that holds something else.
 */
export async function ensureCluster(folder: string): Promise<void> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    checkCluster(folder)
    return
  }
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true, mode: 0o700 })
  await createClusterApart(unfinished)
  if (existsSync(folder)) rmSync(folder, { recursive: true })
  renameSync(unfinished, folder)
  syncPath(dirname(folder))
}

function checkCluster(folder: string): void {
  const file = join(folder, 'PG_VERSION')
  const hint = 'restore a backup of the folder, or move it away to begin with an empty ledger'
  if (!existsSync(file)) throw new SetupError(`${folder} is not a ledger: PG_VERSION is missing`, hint)
  const found = readFileSync(file, 'utf8').trim()
  if (found !== version) {
    throw new SetupError(
      `the ledger ${folder} has the format ${JSON.stringify(found)}; this version reads ${version}`,
      hint,
    )
  }
}

/** In a process of its own: making a store touches 500 MB, and only a process gives all of it back. */
async function createClusterApart(folder: string): Promise<void> {
  const program = `import(process.argv[1]).then((module) => module.createCluster(process.argv[2])).catch((error) => {
    process.exitCode = 1
    process.stderr.write(String(error?.message ?? error))
  })`
  // Better code than the quickest to make costs more here than it gives.
  const argv = ['--liftoff-only', '--eval', program, import.meta.url, folder]
  await promisify(execFile)(process.execPath, argv, { env: {} })
}

/**
 * Makes a new store in an empty folder and brings every file of it to the disk.
 * @public the process apart calls it
 */
export async function createCluster(folder: string): Promise<void> {
  const pglite = await PGlite.create({ fs: createDurableFiles(folder).files, startParams })
  await pglite.close()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    syncPath(join(entry.parentPath, entry.name))
  }
  syncPath(folder)
}

function syncPath(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
