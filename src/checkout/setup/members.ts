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

/** Its members in their order. Throws OddArchive for what cannot be understood without a doubt. */
export async function* membersOf(read: ReadAt, bytes: number): AsyncGenerator<Member> {
  let names: Names = {}
  for (let at = 0; ;) {
    if (at + blockBytes > bytes) throw new OddArchive('ends in the middle')
    const header = headerOf(await read(at, blockBytes))
    at += blockBytes
    if (header === undefined) return requireZeros(read, at, bytes)
    const { size, type } = header
    if (at + size > bytes) throw new OddArchive('ends in the middle')
    const more = type === 'L' || type === 'K' || type === 'x' ? await read(at, sizeOfNames(size)) : undefined
    at += Math.ceil(size / blockBytes) * blockBytes
    if (more) names = { ...names, ...namesIn(type, more) }
    else {
      yield memberOf(type, names.path ?? header.name, names.linkpath ?? header.link)
      names = {}
    }
  }
}

function memberOf(type: string, written: string, target: string): Member {
  const name = written.replace(/\/+$/, '')
  if (type === '0' || type === '\0') return { name, kind: 'file' }
  if (type === '1') return { name, kind: 'same', target }
  if (type === '2') return { name, kind: 'link' }
  if (type === '5') return { name, kind: 'folder' }
  throw new OddArchive(`holds something that is no file, folder or link: ${shown(name)}`)
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
  const text = textIn(field).trim()
  if (!/^[0-7]{1,12}$/.test(text)) throw new OddArchive('is no archive, or holds more than is kept')
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
    if (key === 'path' || key === 'linkpath') names[key] = value
    else if (!harmless.has(key)) throw new OddArchive(`holds a header that is not known: ${shown(key)}`)
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
