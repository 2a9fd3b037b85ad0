import { Transform, type Readable } from 'node:stream'

/** Before each piece of output: the stream's number, three zeros, and four bytes of length. https://docs.docker.com/reference/api/engine/ (attach) */
const headerBytes = 8

/** The bytes a container wrote, out of the frames that Docker hands them over in. One stream a connection: one who is read slowly holds up no other. */
export function unframe(source: Readable): Readable {
  let header = Buffer.alloc(0)
  let left = 0
  const bytes = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk
      while (rest.length > 0) {
        if (left === 0) {
          const missing = headerBytes - header.length
          header = Buffer.concat([header, rest.subarray(0, missing)])
          rest = rest.subarray(missing)
          if (header.length < headerBytes) break
          left = header.readUInt32BE(4)
          header = Buffer.alloc(0)
          continue
        }
        const piece = rest.subarray(0, left)
        left -= piece.length
        rest = rest.subarray(piece.length)
        this.push(piece)
      }
      done()
    },
  })
  source.on('error', () => bytes.end())
  source.on('close', () => bytes.end())
  bytes.on('close', () => source.destroy())
  bytes.on('error', () => source.destroy())
  return source.pipe(bytes)
}

/** The first line, and the stream is left at what follows it; empty when it ends before. */
export async function firstLine(stream: Readable): Promise<string> {
  let said = Buffer.alloc(0)
  while (!stream.readableEnded && !stream.destroyed) {
    const chunk = stream.read() as Buffer | null
    if (chunk === null) {
      await somethingNew(stream)
      continue
    }
    said = Buffer.concat([said, chunk])
    const end = said.indexOf('\n')
    if (end < 0) continue
    if (said.length > end + 1) stream.unshift(said.subarray(end + 1))
    return said.toString('utf8', 0, end)
  }
  return ''
}

async function somethingNew(stream: Readable): Promise<void> {
  const heard = new AbortController()
  const happens = ['readable', 'end', 'close', 'error'].map(
    (event) =>
      new Promise<void>((resolve) => {
        stream.once(event, resolve)
        heard.signal.addEventListener('abort', () => stream.removeListener(event, resolve))
      }),
  )
  await Promise.race(happens)
  heard.abort()
}
