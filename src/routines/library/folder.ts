import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync, type BigIntStats } from 'node:fs'
import { lstat, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { messageOf } from '../../errors.ts'
import { fileCapBytes } from '../reading/file-text.ts'
import { quoted } from '../format.ts'
import type { SourceTree, Wanted } from './source.ts'

/** A file of the folder as it was read. `stamp` is the same only while the file is; undefined = read it again next time. */
export type FolderFile = {
  entry: string
  file: string
  /** Where people find it, when that is not `file`. */
  shownAs?: string
  stamp: string | undefined
} & Content
type Content = { text: string } | { fault: Fault }
export type Fault = { message: string; hint: string }

/** A file changed again within this time may keep its times: clocks of file systems tick in steps of some milliseconds. */
const stampAfterMs = 100

/**
 * Looked at between two turns of others. Ten thousand small files take a fifth of the time when each is looked at, and read, at once;
 * the disk has just answered for the first of them, so it is not one that hangs.
 */
const atOnce = 64

/**
 * The files directly inside a folder that are wanted. Files that did not change since `before` are not read again. Links out of
 * the folder, names that differ only in case, what is no regular file, no UTF-8 or over 256 KB come back with their fault.
 */
export async function readFolder(
  dir: string,
  isWanted: Wanted,
  before: ReadonlyMap<string, FolderFile> = new Map(),
): Promise<SourceTree> {
  const listed = await readdir(dir).catch((error: NodeJS.ErrnoException) => error)
  if (!Array.isArray(listed)) return { missing: whyMissing(listed) }
  const root = await realpath(dir).catch(() => dir)
  const entries = listed.filter(isWanted).sort()
  const twins = findTwins(entries)
  const place = { dir, root, scratch: Buffer.allocUnsafe(fileCapBytes + 1) }
  const readOne = (entry: string) => {
    const fault = twins.get(entry)
    if (fault) return { entry, file: join(dir, entry), stamp: undefined, fault }
    return readEntry({ ...place, entry }, before.get(entry))
  }
  const files: FolderFile[] = []
  for (let start = 0; start < entries.length; start += atOnce) {
    const some = entries.slice(start, start + atOnce)
    await lstat(join(dir, some[0]!)).catch(() => {})
    for (const file of some.map(readOne)) if (file) files.push(file)
  }
  return { files }
}

/** `scratch`: larger than a file may be; a buffer for each would be more work to throw away than to fill. */
type Place = { dir: string; root: string; entry: string; scratch: Buffer }

function readEntry({ dir, root, entry, scratch }: Place, before: FolderFile | undefined): FolderFile | undefined {
  const file = join(dir, entry)
  const refused = (fault: Fault): FolderFile => ({ entry, file, stamp: undefined, fault })
  try {
    const found = findTarget(file, root)
    if ('message' in found) return refused(found)
    const { target, seen } = found
    const age = Date.now() - Number(seen.ctimeMs)
    const stamp =
      age > stampAfterMs ? [target, seen.dev, seen.ino, seen.size, seen.mtimeNs, seen.ctimeNs].join(':') : undefined
    if (stamp !== undefined && stamp === before?.stamp) return before
    return { entry, file, stamp, ...readText(target, scratch) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ELOOP')
      return refused({
        message: `the file cannot be read: ${messageOf(error)}`,
        hint: 'make it readable for the service',
      })
    return isLink(file)
      ? refused({ message: 'this is a link to nothing', hint: 'copy the file into the folder' })
      : undefined
  }
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** The file itself, or the one inside the folder that it is a link to. */
function findTarget(file: string, root: string): { target: string; seen: BigIntStats } | Fault {
  const first = lstatSync(file, { bigint: true })
  const target = first.isSymbolicLink() ? realpathSync(file) : file
  if (target !== file && !target.startsWith(root + sep))
    return { message: 'this is a link out of the folder', hint: 'copy the file into the folder' }
  const seen = target === file ? first : lstatSync(target, { bigint: true })
  if (seen.isFile()) return { target, seen }
  return { message: 'this is not a regular file', hint: 'remove it, or give it another ending' }
}

/** Never follows a link that took the file's place, and never waits for a pipe that did. */
function readText(path: string, scratch: Buffer): Content {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const seen = fstatSync(file)
    if (!seen.isFile()) return { fault: { message: 'this is not a regular file', hint: 'remove it' } }
    return textOrFault(readInto(scratch, file, seen.size))
  } finally {
    closeSync(file)
  }
}

export const tooLarge: Fault = {
  message: 'the file is larger than 256 KB',
  hint: 'a routine is a prompt: keep data in the repository',
}

export function textOrFault(bytes: Buffer): Content {
  if (bytes.length > fileCapBytes) return { fault: tooLarge }
  if (isUtf8(bytes)) return { text: bytes.toString('utf8') }
  return { fault: { message: 'the file is not UTF-8 text', hint: 'save it as UTF-8' } }
}

/** What is there, as far as it fits. What is added after its size was asked is found by the next look. */
function readInto(scratch: Buffer, file: number, size: number): Buffer {
  for (let length = 0; ;) {
    const bytesRead = readSync(file, scratch, length, scratch.length - length, length)
    length += bytesRead
    if (bytesRead === 0 || length === scratch.length || length === size) return scratch.subarray(0, length)
  }
}

/** On disks that ignore case these are one file, so which of them is meant would depend on the machine. */
export function findTwins(entries: readonly string[]): Map<string, Fault> {
  const groups = Map.groupBy(entries, (entry) => entry.normalize('NFC').toLowerCase())
  return new Map(
    [...groups.values()]
      .filter((group) => group.length > 1)
      .flatMap((group) =>
        group.map((entry): [string, Fault] => {
          const others = group.filter((other) => other !== entry).map((other) => quoted(other))
          return [
            entry,
            {
              message: `the name differs from ${others.join(' and ')} only in case`,
              hint: 'rename or remove one of them',
            },
          ]
        }),
      ),
  )
}

function whyMissing(error: NodeJS.ErrnoException): Fault {
  if (error.code === 'ENOENT') return { message: 'there is no such folder', hint: 'overnight init makes it' }
  if (error.code === 'ENOTDIR')
    return { message: 'this is not a folder', hint: 'set OVERNIGHT_ROUTINES to the folder of routine files' }
  return { message: `the folder cannot be read: ${messageOf(error)}`, hint: 'make it readable for the service' }
}
