/** What is in an archive; names as bytes, one letter each. */
export type Member = { name: string } & (
  | { kind: 'file' | 'folder' }
  | { kind: 'link' }
  /** Another name of what was named before. */
  | { kind: 'same'; target: string }
)
/** Reads exactly so many bytes from there. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>

/** It is not what tar(1) makes of files and folders; the message is the rest of a sentence about the archive. */
export class OddArchive extends Error {}

const blockBytes = 512
/** A path is not longer. */
const mostNameBytes = 64 * 1024
/** What pax may say of a member without changing what is read here. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
const harmless: ReadonlySet<string> = new Set(['atime', 'ctime', 'mtime', 'uid', 'gid', 'uname', 'gname'])
type Names = { path?: string; linkpath?: string }
/** Names for the member that comes next, and the types of the headers that gave them. */
type Named = { by: string; names: Names }
const namedTwice = 'names one member twice'
const kinds: Readonly<Record<string, Member['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'same',
  '2': 'link',
  '5': 'folder',
}

/** Its members in their order. Throws OddArchive for what cannot be understood without a doubt. */
export async function* membersOf(read: ReadAt, bytes: number): AsyncGenerator<Member> {
  let named: Named = { by: '', names: {} }
  for (let at = 0; ;) {
    if (at + blockBytes > bytes) throw new OddArchive('ends in the middle')
    const header = headerOf(await read(at, blockBytes))
    at += blockBytes
    if (header === undefined) return requireZeros(read, at, bytes)
    const { size, type } = header
    if (at + size > bytes) throw new OddArchive('ends in the middle')
    const more = type === 'L' || type === 'K' || type === 'x' ? await read(at, sizeOfNames(size)) : undefined
    at += Math.ceil(size / blockBytes) * blockBytes
    if (more) named = withNames(named, type, more)
    else {
      yield memberOf(header, named.names)
      named = { by: '', names: {} }
    }
  }
}

/** Programs differ in which of two names they take. */
function withNames({ by, names }: Named, type: string, data: Buffer): Named {
  const isSecond = type === 'x' || by.includes('x') ? by !== '' : by.includes(type)
  if (isSecond) throw new OddArchive(namedTwice)
  return { by: by + type, names: { ...names, ...namesIn(type, data) } }
}

function memberOf({ type, size, ...header }: Header, names: Names): Member {
  const { path: written = header.name, linkpath: target = header.link } = names
  const name = written.replace(/\/+$/, '')
  const kind = kinds[type]
  if (kind === undefined) throw new OddArchive(`holds something that is no file, folder or link: ${shown(name)}`)
  // tar(1) makes a folder of such a file, and passes over the data of files alone: what follows anything else it reads as members.
  if (kind !== 'folder' && name !== written)
    throw new OddArchive(`holds what is no folder and ends with a slash: ${shown(written)}`)
  if (kind !== 'file' && size > 0) throw new OddArchive(`says that ${shown(name)} has data, which is no file`)
  return kind === 'same' ? { name, kind, target } : { name, kind }
}

type Header = { name: string; link: string; size: number; type: string }

/** undefined: the end of the archive. https://www.gnu.org/software/tar/manual/html_node/Standard.html */
function headerOf(block: Buffer): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined
  const sum = block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0)
  if (numberIn(block.subarray(148, 156)) !== sum) throw new OddArchive('is no archive, or a broken one')
  const name = textIn(block.subarray(0, 100))
  // GNU's own headers have times where others have the beginning of a long name.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isPosix ? textIn(block.subarray(345, 500)) : ''
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    link: textIn(block.subarray(157, 257)),
    size: numberIn(block.subarray(124, 136)),
    type: block.toString('latin1', 156, 157),
  }
}

function textIn(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('latin1', 0, end < 0 ? field.length : end)
}

/** Octal digits; there are other ways to write a number that is larger than what is kept. */
function numberIn(field: Buffer): number {
  const text = /^ *([0-7]{1,12}) *$/.exec(textIn(field))?.[1]
  if (text === undefined) throw new OddArchive('is no archive, or holds more than is kept')
  return Number.parseInt(text, 8)
}

function sizeOfNames(size: number): number {
  if (size > mostNameBytes) throw new OddArchive('holds a name that is too long')
  return size
}

function namesIn(type: string, data: Buffer): Names {
  if (type !== 'x') return type === 'L' ? { path: textIn(data) } : { linkpath: textIn(data) }
  const names: Names = {}
  for (let at = 0; at < data.length;) {
    const { key, value, end } = recordAt(data, at)
    if (key === 'path' || key === 'linkpath') {
      if (names[key] !== undefined) throw new OddArchive(namedTwice)
      names[key] = value
    } else if (!harmless.has(key)) throw new OddArchive(`holds a header that is not known: ${shown(key)}`)
    at = end
  }
  return names
}

function recordAt(data: Buffer, at: number): { key: string; value: string; end: number } {
  const [, length = '', key = ''] = /^(\d{1,6}) ([^=\n]+)=/.exec(data.toString('latin1', at, at + 200)) ?? []
  const end = at + Number(length)
  const value = data.toString('latin1', at + length.length + key.length + 2, end - 1)
  if (key === '' || end > data.length || data[end - 1] !== 10) throw new OddArchive('holds a broken header')
  return { key, value, end }
}

/** Some programs go on after the end. */
async function requireZeros(read: ReadAt, from: number, bytes: number): Promise<void> {
  const rest = await read(from, Math.min(bytes - from, mostNameBytes))
  if (from + rest.length < bytes || rest.some((byte) => byte !== 0)) throw new OddArchive('goes on after its end')
}

/** A name that others chose, for a sentence. */
export function shown(name: string): string {
  return JSON.stringify(Buffer.from(name, 'latin1').toString('utf8').slice(0, 200))
}
