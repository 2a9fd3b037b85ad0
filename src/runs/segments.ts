import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { TranscriptSummary } from '../ledger/held-run.ts'
import type { TranscriptLine } from './transcript.ts'

/** Offsets count every byte ever told, kept or not, so a reader's place stays true when the middle is left out. */
const nameOf = (start: number) => `${String(start).padStart(15, '0')}.ndjson`
export const startOf = (name: string) => Number.parseInt(name, 10)

/** The files of one transcript. Nothing here may be called before the last call has resolved, except `atBeginning`. */
export type Segments = {
  /** True while everything that was written is kept. */
  atBeginning(): boolean
  /** So much was told and is not kept; what is written next begins a file. */
  skip(bytes: number): void
  write(lines: readonly TranscriptLine[]): Promise<void>
  close(): Promise<TranscriptSummary>
}

/** The beginning is kept in a file of half the cap, the end in two rotating ones of a quarter each. The folder is made anew. */
export async function openSegments(folder: string, capBytes: number): Promise<Segments> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  let names: string[] = []
  let file: FileHandle | undefined
  let [room, told, skipped] = [0, 0, 0]

  async function next(): Promise<void> {
    await file?.close()
    told += skipped
    skipped = 0
    const name = nameOf(told)
    file = await open(join(folder, name), 'ax', 0o600)
    room = names.length === 0 ? capBytes / 2 : capBytes / 4
    names.push(name)
    if (names.length > 3) {
      const [head, dropped, ...kept] = names as [string, string, ...string[]]
      await rm(join(folder, dropped))
      names = [head, ...kept]
    }
  }
  await next()

  return {
    atBeginning: () => names.length === 1,
    skip(bytes) {
      skipped += bytes
    },
    async write(lines) {
      let batch: Buffer[] = []
      const put = async () => {
        if (batch.length > 0) await file?.appendFile(Buffer.concat(batch))
        batch = []
      }
      for (const bytes of lines.flatMap((line) => encode(line, capBytes / 4))) {
        if (bytes.length > room || skipped > 0) {
          await put()
          await next()
        }
        batch.push(bytes)
        room -= bytes.length
        told += bytes.length
      }
      await put()
    },
    async close() {
      await file?.close()
      const hash = createHash('sha256')
      let tail = ''
      for (const name of names) {
        const bytes = await readFile(join(folder, name))
        hash.update(bytes)
        tail = bytes.subarray(-4096).toString('utf8')
      }
      return { bytes: told, sha256: hash.digest('hex'), tail: tail.slice(tail.indexOf('{')) }
    },
  }
}

/** As one line of JSON, or as several that fit: what is one byte in a text may be six here. */
function encode(line: TranscriptLine, maxBytes: number): Buffer[] {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  // What tools say was cut when it was told; only speech has no measure.
  if (line.sessionUpdate !== 'agent_message_chunk' && line.sessionUpdate !== 'agent_thought_chunk') return [bytes]
  const { text } = line.content
  if (bytes.length <= maxBytes || text.length < 4) return [bytes]
  const half = text.length >> 1
  const middle = /[\uDC00-\uDFFF]/.test(text.charAt(half)) ? half + 1 : half
  const parts = [text.slice(0, middle), text.slice(middle)]
  return parts.flatMap((text) => encode({ ...line, content: { ...line.content, text } }, maxBytes))
}
