import type { Readable } from 'node:stream'

/** A tool's answer may hold a picture; more than this is no line of a program that means well. */
const longestBytes = 32 * 1024 * 1024

/** Whole lines, without their ends. A longer one than `longest` bytes comes cut there, and its rest is left out. A stream that breaks has ended. */
export async function* readLines(stream: Readable, longest = longestBytes): AsyncGenerator<string> {
  let [held, bytes]: [Buffer[], number] = [[], 0]
  const keep = (part: Buffer) => {
    const room = part.subarray(0, Math.max(0, longest - bytes))
    bytes += room.length
    held.push(room)
  }
  const take = () => {
    const line = Buffer.concat(held).toString('utf8')
    ;[held, bytes] = [[], 0]
    return line
  }
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let start = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        keep(chunk.subarray(start, end))
        start = end + 1
        yield take()
      }
      keep(chunk.subarray(start))
    }
  } catch {
    // What was read by then is whole.
  }
  if (bytes > 0) yield take()
}
