import { constants } from 'node:fs'
import { lstat, open, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { messageOf } from '../errors.ts'
import { fileCapBytes } from './file-text.ts'
import { quoted } from './format.ts'

/** A file of the folder as it was read. `stamp` is the same only while the file is; undefined = read it again next time. */
export type FolderFile = { entry: string; file: string; stamp: string | undefined } & Content
type Content = { text: string } | { fault: Fault }
export type Fault = { message: string; hint: string }
export type Folder = { files: FolderFile[] } | { missing: Fault }

/** A file changed again within this time may keep its times: clocks of file systems tick in steps of some milliseconds. */
const stampAfterMs = 100

/**
 * The `*.md` files directly inside a folder, except README.md and names that start with a dot. Files that did not change since
 * `before` are not read again. Links out of the folder, names that differ only in case, what is no regular file, no UTF-8 or
 * over 256 KB come back with their fault.
 */
export async function readFolder(dir: string, before: ReadonlyMap<string, FolderFile> = new Map()): Promise<Folder> {
  const listed = await readdir(dir).catch((error: NodeJS.ErrnoException) => error)
  if (!Array.isArray(listed)) return { missing: whyMissing(listed) }
  const root = await realpath(dir).catch(() => dir)
  const entries = listed.filter((entry) => /^[^.].*\.md$/is.test(entry) && entry.toLowerCase() !== 'readme.md').sort()
  const twins = findTwins(entries)
  const files: FolderFile[] = []
  for (const entry of entries) {
    const fault = twins.get(entry)
    const read = fault
      ? { entry, file: join(dir, entry), stamp: undefined, fault }
      : await readEntry({ dir, root, entry }, before.get(entry))
    if (read) files.push(read)
  }
  return { files }
}

async function readEntry(
  at: { dir: string; root: string; entry: string },
  before: FolderFile | undefined,
): Promise<FolderFile | undefined> {
  const { dir, root, entry } = at
  const file = join(dir, entry)
  const refused = (message: string, hint: string): FolderFile => ({
    entry,
    file,
    stamp: undefined,
    fault: { message, hint },
  })
  try {
    const target = await realpath(file)
    if (!target.startsWith(root + sep))
      return refused('this is a link out of the folder', 'copy the file into the folder')
    const seen = await lstat(target, { bigint: true })
    if (!seen.isFile()) return refused('this is not a regular file', 'remove it, or give it another ending than .md')
    const age = Date.now() - Number(seen.ctimeMs)
    const stamp =
      age > stampAfterMs ? [target, seen.dev, seen.ino, seen.size, seen.mtimeNs, seen.ctimeNs].join(':') : undefined
    if (stamp !== undefined && stamp === before?.stamp) return before
    return { entry, file, stamp, ...(await readText(target)) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ELOOP')
      return refused(`the file cannot be read: ${messageOf(error)}`, 'make it readable for the service')
    const isLink = await lstat(file).then(
      (seen) => seen.isSymbolicLink(),
      () => false,
    )
    return isLink ? refused('this is a link to nothing', 'copy the file into the folder') : undefined
  }
}

/** Never follows a link that took the file's place, and never waits for a pipe that did. */
async function readText(path: string): Promise<Content> {
  await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const seen = await handle.stat()
  if (!seen.isFile()) return { fault: { message: 'this is not a regular file', hint: 'remove it' } }
  const buffer = Buffer.alloc(fileCapBytes + 1)
  let length = 0
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length)
    length += bytesRead
    if (bytesRead === 0 || length === buffer.length) break
  }
  if (length > fileCapBytes) {
    return {
      fault: { message: 'the file is larger than 256 KB', hint: 'a routine is a prompt: keep data in the repository' },
    }
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, length)) }
  } catch {
    return { fault: { message: 'the file is not UTF-8 text', hint: 'save it as UTF-8' } }
  }
}

/** On disks that ignore case these are one file, so which of them is meant would depend on the machine. */
function findTwins(entries: readonly string[]): Map<string, Fault> {
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
