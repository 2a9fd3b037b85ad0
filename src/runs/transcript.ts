import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineUpdate } from '../engines/engine.ts'
import type { TranscriptSummary } from '../ledger/held-run.ts'
import { openSegments, startOf } from './segments.ts'

/** One line of a transcript file: what the engine told, and when (ISO 8601). */
export type TranscriptLine = { at: string } & EngineUpdate

export type Transcript = {
  append(event: TranscriptLine): Promise<void>
  /** Closes the files; size, hash and tail of what is kept. */
  close(): Promise<TranscriptSummary>
}

/** What was told is written, and readers are told of it, five times a second at most: a flood must not flood them too. */
const writeMs = 200

/**
 * Keeps the beginning and the end of what an agent prints, within the cap. Of a flood only what is kept costs more than reading:
 * what is told between two writes and does not fit is never encoded. The price: a killed service loses the last 200 ms.
 */
export async function openTranscript(folder: string, capBytes: number, onGrow: () => void): Promise<Transcript> {
  const segments = await openSegments(folder, capBytes)
  const enough = capBytes / 4
  let waiting: TranscriptLine[] = []
  let [waitingBytes, skipped] = [0, 0]
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let failed = false

  function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const [lines, bytes] = [waiting, skipped]
    waiting = []
    ;[waitingBytes, skipped] = [0, 0]
    writing = writing.then(async () => {
      segments.skip(bytes)
      await segments.write(lines)
      onGrow()
    })
    return writing
  }
  /** At twice what is enough, so that each line is moved once at most. */
  function dropOldest(): void {
    let count = 0
    for (; waitingBytes > enough && count < waiting.length - 1; count += 1) {
      const bytes = sizeOf(waiting[count]!)
      waitingBytes -= bytes
      skipped += bytes
    }
    waiting = waiting.slice(count)
  }

  return {
    async append(line) {
      waiting.push(line)
      waitingBytes += sizeOf(line)
      timer ??= setTimeout(() => void write().catch(() => (failed = true)), writeMs)
      if (failed) await writing
      if (waitingBytes < 2 * enough) return
      if (segments.atBeginning()) await write()
      else dropOldest()
    },
    async close() {
      await write()
      return segments.close()
    },
  }
}

/** About what it is as JSON; an agent may print single bytes. */
export function sizeOf(line: TranscriptLine): number {
  const texts = 'content' in line ? [line.content].flat() : []
  return texts.reduce((sum, part) => sum + (part.type === 'text' ? part : part.content).text.length, 128)
}

/** A reader's place: after `offset` bytes of the attempt with this fence. */
export type TranscriptCursor = { fence: number; offset: number }
export type TranscriptPart = {
  /** `end` is the offset after the line: who goes on from there reads it no second time. */
  lines: { line: TranscriptLine; end: number }[]
  cursor: TranscriptCursor
  /** Bytes that were told after the cursor and are no longer kept. */
  leftOutBytes: number
  more: boolean
}

/** What was told after `cursor` in one attempt's folder, whole lines only, about `maxBytes`. Nothing there yet = no lines. */
export async function readTranscript(
  folder: string,
  cursor: TranscriptCursor,
  maxBytes = 256 * 1024,
): Promise<TranscriptPart> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.ndjson')).sort()
  const current = names.findLast((name) => startOf(name) <= cursor.offset)
  const nothing = { lines: [], cursor, leftOutBytes: 0, more: false }
  if (current === undefined) return nothing
  const here = await readFrom(join(folder, current), cursor.offset - startOf(current), maxBytes)
  if (here.length > 0) {
    const offset = cursor.offset + here.length
    return { lines: parseLines(here, cursor.offset), cursor: { ...cursor, offset }, leftOutBytes: 0, more: true }
  }
  const next = names[names.indexOf(current) + 1]
  if (next === undefined) return nothing
  const leftOutBytes = startOf(next) - cursor.offset
  return { lines: [], cursor: { ...cursor, offset: startOf(next) }, leftOutBytes, more: true }
}

async function readFrom(path: string, position: number, maxBytes: number): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return Buffer.alloc(0)
  try {
    const size = (await file.stat()).size
    // A line may be longer than asked for: read on to its end rather than stand still.
    for (let length = maxBytes; ; length *= 2) {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - position)))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
      const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1
      if (end > 0 || bytesRead < length) return buffer.subarray(0, end)
    }
  } finally {
    await file.close()
  }
}

function parseLines(bytes: Buffer, start: number): TranscriptPart['lines'] {
  const lines: TranscriptPart['lines'] = []
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(10, from) + 1
    lines.push({ line: JSON.parse(bytes.toString('utf8', from, end)) as TranscriptLine, end: start + end })
    from = end
  }
  return lines
}
