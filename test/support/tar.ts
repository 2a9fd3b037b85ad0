/** A member of an archive as somebody may have written it; `data` of a file, or of a header that names the next member. */
export type Written = { name: string; type?: string; link?: string; data?: string; size?: number; gnu?: boolean }

const padded = (data: Buffer) => Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)])

/** One member in the format of tar(1), with a checksum that is right. */
export function memberOf({ name, type = '0', link = '', data = '', size, gnu = false }: Written): Buffer {
  const header = Buffer.alloc(512)
  const content = Buffer.from(data)
  header.write(name, 0, 100, 'latin1')
  header.write('0000644\0', 100)
  header.write('0001750\0', 108)
  header.write('0001750\0', 116)
  header.write(`${(size ?? content.length).toString(8).padStart(11, '0')}\0`, 124)
  header.write(`${'0'.repeat(11)}\0`, 136)
  header.write(' '.repeat(8), 148)
  header.write(type, 156, 1, 'latin1')
  header.write(link, 157, 100, 'latin1')
  header.write(gnu ? 'ustar  \0' : 'ustar\u000000', 257, 'latin1')
  const sum = header.reduce((sum, byte) => sum + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, padded(content)])
}

export const archiveOf = (...members: Written[]): Buffer =>
  Buffer.concat([...members.map(memberOf), Buffer.alloc(1024)])

/** A record of a pax header, which begins with its own length. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  const length = bytes + String(bytes + String(bytes).length).length
  return `${length}${rest}`
}
