import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { ReadAt } from './members.ts'

export type ResultsOptions = {
  folder: string
  /** Of all of them; one may have half of it. */
  maxBytes: number
}

/** A kept result, whole: nothing that happens to its name changes it while it is open. */
export type Result = AsyncDisposable & { bytes: number; read(): Readable; readAt: ReadAt }

/** A result that is being written; forgotten when it is closed without having been kept. */
export type Draft = AsyncDisposable & {
  readAt: ReadAt
  size(): number
  /** False: it would become larger than one may be, and was not written. */
  write(chunk: Buffer): Promise<boolean>
  keep(key: string): Promise<void>
}

/** Nobody used it for so long. */
const unusedMs = 14 * 86_400_000
/** A draft that nobody wrote to for so long has no writer any more. */
const abandonedMs = 3_600_000
const hashBytes = 32
const suffix = '.tar'

/**
 * Results of setup steps by their keys: a file each, ended by its SHA-256. Several processes may have the folder; the same key
 * written twice is one of the two. Times are the file system's, and decide no more than what is removed first.
 */
export function createResults({ folder, maxBytes }: ResultsOptions) {
  const pathOf = (key: string) => join(folder, key + suffix)

  async function list(): Promise<Kept[]> {
    const names = await readdir(folder).catch(() => [])
    const found = await Promise.all(names.map((name) => look(join(folder, name))))
    return found.flatMap((one) => one ?? [])
  }

  return {
    maxBytes,

    /** `broken`: there was one that had not come to the disk whole, or had changed there; it is gone now. */
    async find(key: string): Promise<Result | 'broken' | undefined> {
      const file = await open(pathOf(key), 'r').catch(() => undefined)
      if (!file) return undefined
      const bytes = (await file.stat()).size - hashBytes
      if (bytes > 0 && (await isWhole(file, bytes).catch(() => false))) {
        const now = new Date()
        // On a disk that takes no more it is still good.
        await file.utimes(now, now).catch(() => undefined)
        return opened(file, bytes)
      }
      await file.close()
      await rm(pathOf(key), { force: true })
      return 'broken'
    },

    async draft(): Promise<Draft> {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, `${randomUUID()}.new`)
      return openDraft(await open(path, 'wx+', 0o600), { path, maxBytes: maxBytes / 2, pathOf })
    },

    remove: (key: string) => rm(pathOf(key), { force: true }),

    /** Removes what nobody uses, and of the rest what was used longest ago until all fit. */
    async sweep(now = Date.now()): Promise<void> {
      const all = await list()
      await Promise.all(tooMany(all, { now, maxBytes }).map(({ path }) => rm(path, { force: true })))
    },

    async measure(): Promise<{ count: number; bytes: number }> {
      const kept = (await list()).filter(({ path }) => path.endsWith(suffix))
      return { count: kept.length, bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0) }
    },
  }
}

type Kept = { path: string; bytes: number; usedMs: number }

async function look(path: string): Promise<Kept | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found && { path, bytes: found.size, usedMs: found.mtimeMs }
}

/** Which files go. What is being written counts and stays. */
function tooMany(all: readonly Kept[], { now, maxBytes }: { now: number; maxBytes: number }): Kept[] {
  const isOver = ({ path, usedMs }: Kept) => now - usedMs > (path.endsWith(suffix) ? unusedMs : abandonedMs)
  const latestFirst = all.filter((one) => !isOver(one)).toSorted((a, b) => b.usedMs - a.usedMs)
  let room = maxBytes
  const tooOld = latestFirst.filter(({ path, bytes }) => {
    room -= bytes
    return room < 0 && path.endsWith(suffix)
  })
  return [...all.filter(isOver), ...tooOld]
}

async function isWhole(file: FileHandle, bytes: number): Promise<boolean> {
  const hash = createHash('sha256')
  for await (const chunk of streamOf(file, bytes)) hash.update(chunk as Buffer)
  return hash.digest().equals(await readAt(file)(bytes, hashBytes))
}

/** In large pieces: a tar of ten thousand files is read in a tenth of the time. */
const pieceBytes = 1024 * 1024

const streamOf = (file: FileHandle, bytes: number): Readable =>
  file.createReadStream({ start: 0, end: bytes - 1, autoClose: false, highWaterMark: pieceBytes })

/** Ahead, because the next header stands behind a small file as a rule. */
function readAt(file: FileHandle): ReadAt {
  let [from, ahead] = [0, Buffer.alloc(0)]
  return async (position, length) => {
    if (position < from || position + length > from + ahead.length) {
      const wanted = Math.max(length, pieceBytes / 4)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, position)
      ;[from, ahead] = [position, buffer.subarray(0, bytesRead)]
    }
    return ahead.subarray(position - from, position - from + length)
  }
}

function opened(file: FileHandle, bytes: number): Result {
  return {
    bytes,
    read: () => streamOf(file, bytes),
    readAt: readAt(file),
    [Symbol.asyncDispose]: () => file.close(),
  }
}

type Drafting = { path: string; maxBytes: number; pathOf(key: string): string }

function openDraft(file: FileHandle, { path, maxBytes, pathOf }: Drafting): Draft {
  const hash = createHash('sha256')
  const state = { size: 0, isKept: false }
  return {
    readAt: readAt(file),
    size: () => state.size,
    async write(chunk) {
      if (state.size + chunk.length > maxBytes) return false
      hash.update(chunk)
      state.size += chunk.length
      await file.writeFile(chunk)
      return true
    },
    async keep(key) {
      await file.writeFile(hash.digest())
      await file.datasync()
      await rename(path, pathOf(key))
      state.isKept = true
    },
    async [Symbol.asyncDispose]() {
      await file.close()
      if (!state.isKept) await rm(path, { force: true })
    },
  }
}
