import { placeAt, type Place } from '../format.ts'

/** Over this a file is refused: a prompt of that size is a mistake, and everything here is read on the event loop. */
export const fileCapBytes = 256 * 1024
/** The YAML reader compares every key with every other; at this size the worst text takes a tenth of a second. */
const frontMatterCapBytes = 32 * 1024

export type FileText = {
  /** Without the fences; undefined when the file has none. */
  frontMatter: { text: string; offset: number } | undefined
  /** Line ends are `\n`; no blank lines before, no white space after. */
  prompt: string
  /** Where the prompt starts, as an offset of the file's text. */
  promptOffset: number
}
export type TextFault = Place & { message: string; hint: string }

/** Splits a routine file at its `---` lines. Accepts CRLF and a byte order mark. */
export function splitFile(text: string): FileText | TextFault {
  const fault = unreadable(text)
  if (fault) return fault
  const start = text.startsWith('\uFEFF') ? 1 : 0
  const opening = /^---[ \t]*(?:\r?\n|$)/.exec(text.slice(start))
  if (!opening) {
    const late = /^\s*\n---[ \t]*(?:\r?\n|$)/.exec(text.slice(start))
    if (late)
      return faultAt(text, text.indexOf('---'), {
        message: 'the front matter starts too late',
        hint: 'make --- the very first line',
      })
    return { frontMatter: undefined, ...promptFrom(text, start) }
  }
  const offset = start + opening[0].length
  const closing = /(?<=^|\n)---[ \t]*(?:\r?\n|$)/.exec(text.slice(offset))
  if (!closing)
    return faultAt(text, start, {
      message: 'the front matter is never closed',
      hint: 'write a line --- between it and the prompt',
    })
  if (closing.index > frontMatterCapBytes) {
    return faultAt(text, start, {
      message: 'the front matter is larger than 32 KB',
      hint: 'move long texts into the prompt below it',
    })
  }
  const frontMatter = { text: text.slice(offset, offset + closing.index), offset }
  return { frontMatter, ...promptFrom(text, offset + closing.index + closing[0].length) }
}

function promptFrom(text: string, after: number) {
  const body = text.slice(after)
  const blank = /^(?:[ \t]*\r?\n)*/.exec(body)?.[0].length ?? 0
  return { prompt: body.slice(blank).replaceAll('\r\n', '\n').trimEnd(), promptOffset: after + blank }
}

/** What no text of people may be, whatever is in it. */
export function unreadable(text: string): TextFault | undefined {
  if (text.length > fileCapBytes || Buffer.byteLength(text) > fileCapBytes) {
    return {
      line: 1,
      column: 1,
      message: 'the file is larger than 256 KB',
      hint: 'a routine is a prompt: keep data in the repository',
    }
  }
  const nul = text.indexOf('\0')
  if (nul !== -1)
    return faultAt(text, nul, { message: 'there is a NUL character', hint: 'save the file as UTF-8 text' })
  if (!text.isWellFormed())
    return { line: 1, column: 1, message: 'the file is not valid Unicode', hint: 'save it as UTF-8 text' }
  return undefined
}

function faultAt(text: string, offset: number, words: { message: string; hint: string }): TextFault {
  return { ...placeAt(text, offset), ...words }
}
