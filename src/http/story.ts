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

type StoryFace = Pick<Face, 'ledger' | 'transcriptOf'>

/** Everything told after `cursor` by now: the timeline first, then the transcripts of the attempts in order. */
export async function* storyAfter(face: StoryFace, run: string, from: StoryCursor): AsyncGenerator<StoryPart> {
  let cursor = from
  for (const event of await face.ledger.events.after(run, cursor.event)) {
    cursor = { ...cursor, event: event.id }
    yield { kind: 'event', event, cursor }
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
      const last = { ...cursor, offset: part.cursor.offset }
      for (const [index, line] of part.lines.entries()) {
        // Only the last line of a part carries the new place: a reader cut off in between reads the part again.
        yield { kind: 'output', line, cursor: index === part.lines.length - 1 ? last : cursor }
      }
      cursor = last
      if (!part.more) break
    }
  }
}

/** The story as it grows; ends after the run's ending was told. */
export async function* followStory(
  face: Pick<Face, 'ledger' | 'transcriptOf' | 'news'>,
  run: string,
  options: { from: StoryCursor; signal: AbortSignal },
): AsyncGenerator<StoryPart | { kind: 'idle' }> {
  let cursor = options.from
  while (!options.signal.aborted) {
    // Ask for news before reading, so that what arrives while we read wakes us.
    const abort = new AbortController()
    const news = face.news.next(run, { timeoutMs: 15_000, signal: AbortSignal.any([options.signal, abort.signal]) })
    const state = (await face.ledger.runs.find(run))?.state
    let quiet = true
    for await (const part of storyAfter(face, run, cursor)) {
      cursor = part.cursor
      quiet = false
      yield part
    }
    if (state === undefined || isEnded(state)) {
      abort.abort()
      return
    }
    await news
    if (quiet && !options.signal.aborted) yield { kind: 'idle' }
  }
}
