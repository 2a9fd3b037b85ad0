import { PassThrough, type Readable } from 'node:stream'

/** A pipe holds no more, and what a dead command left is read in far less time; beyond that somebody else writes into it. */
const lastBytes = 1024 * 1024
const lastBytesMs = 1000
/** 200 MB/s: as fast as a pipe can be filled, garbage grows faster than it is collected, and nothing else gets its turn. */
const burstBytes = 1024 * 1024
const burstMs = 5

/**
 * A command's output, for a reader who may come late or slowly: the bytes wait in the pipe. `finish()`, when the command is gone,
 * takes in the rest (what the pipe holds, 64 KB as a rule) so that the descriptor closes although nobody reads, and although
 * somebody who was handed the other end still has it.
 */
export function createOutlet(source: Readable): { stream: Readable; finish(): void } {
  const stream = new PassThrough()
  const pace = createPace()
  let finished = false
  let late = 0
  let rest: NodeJS.Timeout | undefined

  function goOn(): void {
    rest = undefined
    if (finished || !stream.writableNeedDrain) source.resume()
  }
  source.on('data', (chunk: Buffer) => {
    if (finished) late += chunk.length
    if (late > lastBytes) source.destroy()
    if (stream.destroyed || source.destroyed) return
    const waitMs = pace(chunk.length)
    if (waitMs > 0 && !finished) rest ??= setTimeout(goOn, waitMs)
    if ((!stream.write(chunk) || rest !== undefined) && !finished) source.pause()
  })
  stream.on('drain', () => {
    if (rest === undefined) source.resume()
  })
  // A reader who gives up closes the pipe, as it would be between two programs.
  stream.on('close', () => source.destroy())
  source.on('error', () => stream.end())
  source.on('close', () => {
    clearTimeout(rest)
    stream.end()
  })
  return {
    stream,
    finish() {
      if (finished) return
      finished = true
      source.resume()
      const timer = setTimeout(() => source.destroy(), lastBytesMs)
      source.once('close', () => clearTimeout(timer))
    },
  }
}

/** Told what was read, answers how long to wait before reading on. */
function createPace(): (bytes: number) => number {
  let taken = 0
  let since = 0
  return (bytes) => {
    const now = performance.now()
    if (now - since > burstMs) [taken, since] = [0, now]
    taken += bytes
    return taken < burstBytes ? 0 : since + burstMs - now
  }
}
