import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** One line of the journal. `ref` lines are written by git's own hook at the moment the ref has moved. */
export type JournalLine =
  | { kind: 'request'; at: string; method: string; path: string; as: string; status: number }
  | { kind: 'violation'; at: string; method: string; path: string; error: string }
  /** An event that was sent, again perhaps, and what it was answered; 0 = nothing. */
  | { kind: 'hook'; at: string; guid: string; event: string; status: number }
  | { kind: 'ref'; at: string; repository: string; ref: string; old: string; new: string }
  | {
      kind: 'pull'
      at: string
      act: 'opened' | 'updated'
      repository: string
      number: number
      branch: string
      head: string
    }
export type Journal = { file: string; write(line: Unstamped): void; lines(): JournalLine[] }
type Unstamped = JournalLine extends infer Line ? (Line extends { at: string } ? Omit<Line, 'at'> : never) : never

/** What was asked and what it did, written at once, so that a kill of anybody loses nothing of it. */
export function openJournal(file: string): Journal {
  return {
    file,
    write: (line) => appendFileSync(file, `${JSON.stringify({ ...line, at: new Date().toISOString() })}\n`),
    lines: () => readJournal(file),
  }
}

export function readJournal(file: string): JournalLine[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalLine)
}
