import { PassThrough, type Readable } from 'node:stream'

/**
 * A command's output, for a reader who may come late or slowly. Node throws away what is unread when a child ends, and keeps the
 * descriptor of what is never read; here the bytes wait, and `finish()`, when nobody can write any more, takes in the rest
 * (what the pipe holds, at most a few hundred KB) so that the descriptor closes.
 */
export function createOutlet(source: Readable): { stream: Readable; finish(): void } {
  const stream = new PassThrough()
  let finished = false
  source.on('data', (chunk: Buffer) => {
    if (!stream.destroyed && !stream.write(chunk) && !finished) source.pause()
  })
  stream.on('drain', () => source.resume())
  // A reader who gives up closes the pipe, as it would be between two programs.
  stream.on('close', () => source.destroy())
  source.on('error', () => stream.end())
  source.on('close', () => stream.end())
  return {
    stream,
    finish() {
      finished = true
      source.resume()
    },
  }
}
