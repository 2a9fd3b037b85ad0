import { PassThrough, type Readable } from 'node:stream'

/** A pipe holds no more, and what a dead command left is read in far less time; beyond that somebody else writes into it. */
const lastBytes = 1024 * 1024
const lastBytesMs = 1000

/**
 * A command's output, for a reader who may come late or slowly: the bytes wait in the pipe. `finish()`, when the command is gone,
 * takes in the rest (what the pipe holds, 64 KB as a rule) so that the descriptor closes although nobody reads, and although
 * somebody who was handed the other end still has it.
 */
export function createOutlet(source: Readable): { stream: Readable; finish(): void } {
  const stream = new PassThrough()
  let finished = false
  let late = 0
  source.on('data', (chunk: Buffer) => {
    if (finished) late += chunk.length
    if (late > lastBytes) source.destroy()
    else if (!stream.destroyed && !stream.write(chunk) && !finished) source.pause()
  })
  stream.on('drain', () => source.resume())
  // A reader who gives up closes the pipe, as it would be between two programs.
  stream.on('close', () => source.destroy())
  source.on('error', () => stream.end())
  source.on('close', () => stream.end())
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
