import { isAbsolute, relative } from 'node:path'
import type { Problem } from './routine.ts'

/** A place in a text, starting at 1. Columns count UTF-16 units, as editors do. */
export type Place = { line: number; column: number }

/** A problem as the line people read: `routines/x.md:3:5: unknown key "reposotory" – did you mean "repository"?` */
export function formatProblem({ file, line, column, message, hint }: Problem): string {
  return printable(`${file}:${line}:${column}: ${message}${hint ? ` – ${hint}` : ''}`)
}

/** The same problem with its file relative to `folder`, as a command prints it; a file elsewhere stays absolute. */
export function relativeTo(folder: string, problem: Problem): Problem {
  const path = relative(folder, problem.file)
  return isAbsolute(problem.file) && !path.startsWith('..') ? { ...problem, file: path } : problem
}

/** What was written may reach a terminal or a log line, so control characters are shown, never sent. */
function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** A piece of somebody's text for a sentence: quoted, and short. */
export function quoted(text: string, maxLength = 60): string {
  return JSON.stringify(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text)
}

export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, Math.min(Math.max(offset, 0), text.length))
  const lineStart = before.lastIndexOf('\n') + 1
  const bom = lineStart === 0 && text.startsWith('\uFEFF') ? 1 : 0
  return { line: before.split('\n').length, column: Math.max(1, before.length - lineStart + 1 - bom) }
}
