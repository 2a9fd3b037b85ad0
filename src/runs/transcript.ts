import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineEvent } from '../engines/engine.ts'
import type { TranscriptSummary } from '../ledger/held-run.ts'

/** One line of a transcript file: what the engine told, and when (ISO 8601). */
export type TranscriptLine = { at: string } & Exclude<EngineEvent, { stopped: unknown }>

export type Transcript = {
  append(event: TranscriptLine): Promise<void>
  /** Closes the files; size, hash and tail of what is kept. */
  close(): Promise<TranscriptSummary>
}

/** Offsets count every byte ever told, kept or not, so a reader's place stays true when the middle is left out. */
const nameOf = (start: number) => `${String(start).padStart(15, '0')}.ndjson`
const startOf = (name: string) => Number.parseInt(name, 10)

const announceMs = 200

/** Readers are told of growth at most five times a second: an agent that floods its output must not flood them too. */
function throttled(announce: () => void): { soon(): void; now(): void } {
  const state = { timer: undefined as NodeJS.Timeout | undefined }
  function now(): void {
    clearTimeout(state.timer)
    state.timer = undefined
    announce()
  }
  return {
    soon() {
      state.timer ??= setTimeout(now, announceMs)
    },
    now,
  }
}

/**
 * Keeps the beginning (half the cap) and the end (two rotating segments of a quarter each): what an agent prints without
 * limit costs bounded disk, and the two parts people read are there. The folder is made anew.
 */
export async function openTranscript(folder: string, capBytes: number, onGrow: () => void): Promise<Transcript> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const growth = throttled(onGrow)
  let segments: string[] = []
  let file: FileHandle | undefined
  let room = 0
  let told = 0

  async function nextSegment(): Promise<void> {
    await file?.close()
    const name = nameOf(told)
    file = await open(join(folder, name), 'ax', 0o600)
    room = segments.length === 0 ? capBytes / 2 : capBytes / 4
    segments.push(name)
    if (segments.length > 3) {
      const [head, dropped, ...kept] = segments as [string, string, ...string[]]
      await rm(join(folder, dropped))
      segments = [head, ...kept]
    }
  }
  await nextSegment()

  return {
    async append(event) {
      const line = Buffer.from(`${JSON.stringify(event)}\n`)
      if (line.length > room) await nextSegment()
      await file?.appendFile(line)
      room -= line.length
      told += line.length
      growth.soon()
    },
    async close() {
      await file?.close()
      const hash = createHash('sha256')
      let tail = ''
      for (const name of segments) {
        const bytes = await readFile(join(folder, name))
        hash.update(bytes)
        tail = bytes.subarray(-4096).toString('utf8')
      }
      growth.now()
      return { bytes: told, sha256: hash.digest('hex'), tail: tail.slice(tail.indexOf('{')) }
    },
  }
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
