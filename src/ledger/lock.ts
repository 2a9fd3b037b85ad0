import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FolderInUse, messageOf, SetupError } from '../errors.ts'

export type FolderLock = { release(): void } & Disposable

/**
 * One process per data folder; `path` is the lock file in it. Throws SetupError when another process has the folder.
 *
 * The lock is a POSIX lock that SQLite takes: the kernel drops it with the process, however it ends, it needs no short
 * path as a socket does, and containers that share the folder on one machine exclude each other too.
 * The price: nothing else in this process may open and close the file, for that would drop the lock (fcntl(2)).
 */
export function lockDataFolder(path: string): FolderLock {
  const file = resolve(path)
  const holder = `${file}.holder`
  const database = openLockFile(file)
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    throw refusal(file, holderOf(holder), error)
  }
  try {
    writeFileSync(holder, `process ${process.pid} on ${hostname()}\n`, { mode: 0o600 })
  } catch (error) {
    database.close()
    throw unusable(file, error)
  }

  function release(): void {
    if (!database.isOpen) return
    process.off('exit', release)
    rmSync(holder, { force: true })
    database.close()
  }
  // Also keeps the database from the garbage collector, which would close it and so drop the lock unseen.
  process.on('exit', release)
  return { release, [Symbol.dispose]: release }
}

function openLockFile(file: string): DatabaseSync {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    // The folder often stands in a repository: nothing of it is ever to be committed there.
    writeFileSync(join(dirname(file), '.gitignore'), '*\n')
    return new DatabaseSync(file)
  } catch (error) {
    throw unusable(file, error)
  }
}

function refusal(file: string, holder: string, error: unknown): SetupError {
  const busy = /locked|busy/i.test(messageOf(error))
  if (!busy) return unusable(file, error)
  return new FolderInUse(dirname(file), holder, error)
}

function unusable(file: string, error: unknown): SetupError {
  return new SetupError(
    `the data folder ${dirname(file)} cannot be used: ${messageOf(error)}`,
    `make the folder writable for this user and remove what is not ours at ${file}, or set OVERNIGHT_DATA to another folder`,
    error,
  )
}

function holderOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'another process'
  } catch {
    return 'another process'
  }
}
