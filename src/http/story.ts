import type { Ledger } from '../ledger/ledger.ts'
import type { RunEvent } from '../ledger/schema.ts'
import { isEnded } from '../runs/states.ts'
import type { TranscriptLine } from '../runs/transcript.ts'
import type { Face } from './face.ts'

/** A reader's place in a run: after this ledger event, and after this byte of that attempt's transcript. */
export type StoryCursor = { event: number; fence: number; offset: number }
export type StoryPart =
  | { kind: 'event'; event: RunEvent; cursor: StoryCursor }
  | { kind: 'output'; line: TranscriptLine; cursor: StoryCursor }
  | { kind: 'left_out'; bytes: number; cursor: StoryCursor }

export const storyStart: StoryCursor = { event: 0, fence: 0, offset: 0 }

export function writeCursor(cursor: StoryCursor): string {
  return `${cursor.event}.${cursor.fence}.${cursor.offset}`
}
/** What a client sends back as Last-Event-ID; anything else starts from the beginning. */
export function readCursor(text: string | undefined): StoryCursor {
  const match = /^(\d{1,15})\.(\d{1,9})\.(\d{1,15})$/.exec(text ?? '')
  return match ? { event: Number(match[1]), fence: Number(match[2]), offset: Number(match[3]) } : storyStart
}

const batch = 500

export type StoryFace = Pick<Face, 'transcriptOf'> & {
  ledger: { events: Pick<Ledger['events'], 'after'>; runs: Pick<Ledger['runs'], 'attemptsOf' | 'find'> }
}

/** Everything told after `cursor` by now: the timeline first, then the transcripts of the attempts in order. */
export async function* storyAfter(face: StoryFace, run: string, from: StoryCursor): AsyncGenerator<StoryPart> {
  let cursor = from
  for (;;) {
    const events = await face.ledger.events.after(run, cursor.event, batch)
    for (const event of events) {
      cursor = { ...cursor, event: event.id }
      yield { kind: 'event', event, cursor }
    }
    if (events.length < batch) break
  }
  const fences = (await face.ledger.runs.attemptsOf(run)).map((attempt) => attempt.fence)
  for (const fence of fences.filter((number) => number >= cursor.fence)) {
    if (fence > cursor.fence) cursor = { ...cursor, fence, offset: 0 }
    for (;;) {
      const part = await face.transcriptOf(run, { fence, offset: cursor.offset })
      if (part.leftOutBytes > 0) {
        cursor = { ...cursor, offset: part.cursor.offset }
        yield { kind: 'left_out', bytes: part.leftOutBytes, cursor }
      }
      for (const { line, end } of part.lines) {
        cursor = { ...cursor, offset: end }
        yield { kind: 'output', line, cursor }
      }
      if (!part.more) break
    }
  }
}

/** The story as it grows; ends after the run's ending was told. */
export async function* followStory(
  face: StoryFace & Pick<Face, 'news'>,
  run: string,
  options: { from: StoryCursor; signal: AbortSignal },
): AsyncGenerator<StoryPart | { kind: 'idle' }> {
  let cursor = options.from
  while (!options.signal.aborted) {
    // Ask for news before reading, so that what arrives while we read wakes us.
    const abort = new AbortController()
    const news = face.news.next(run, { timeoutMs: 15_000, signal: AbortSignal.any([options.signal, abort.signal]) })
    const state = (await face.ledger.runs.find(run))?.state
    for await (const part of storyAfter(face, run, cursor)) {
      cursor = part.cursor
      yield part
    }
    if (state === undefined || isEnded(state)) {
      abort.abort()
      return
    }
    if ((await news) === 'quiet' && !options.signal.aborted) yield { kind: 'idle' }
  }
}
