// Rebuilds the list of contents between its markers in every Markdown file that has them.
import { listFiles, main, nameFiles, rewriteFiles } from './checkout.mjs'
import { findHeadings, verbatimLines, withoutLinks } from './headings.mjs'

const markers = [
  { begin: '<!-- contents -->', end: '<!-- /contents -->' },
  { begin: '<!-- toc -->', end: '<!-- tocstop -->' },
]

main(({ scope = '.', deepest = 3 }) => {
  const files = listFiles(scope, ['.md', '.markdown'])
  const changed = rewriteFiles(files, (text, path) => withContents(text, { path, deepest }))
  return changed.length > 0 ? `Rebuilt the contents of ${nameFiles(changed)}` : 'Every list of contents was up to date'
})

/** The text with the list between its first pair of markers made anew from the headings below it. */
function withContents(text, { path, deepest }) {
  const lines = text.split(/\r\n|\n/)
  const place = findMarkers(lines)
  if (!place) return text
  if (place.end < 0) {
    console.error(`${path}:${place.begin + 1}: the end marker ${place.closing} is missing, left alone`)
    return text
  }
  const others = lines.map((line, index) => (index >= place.begin && index <= place.end ? '' : line))
  const headings = findHeadings(others).filter(
    ({ line, level, text: words }) => line > place.end && level <= deepest && words !== '',
  )
  const list = contentsOf(headings)
  const body = list.length > 0 ? ['', ...list, ''] : []
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n'
  const [start, end] = [offsetOf(text, place.begin + 1), offsetOf(text, place.end)]
  return text.slice(0, start) + body.map((line) => line + lineEnd).join('') + text.slice(end)
}

/** The first pair of markers outside code; `end` is -1 when it is missing. */
function findMarkers(lines) {
  const verbatim = verbatimLines(lines)
  const begin = lines.findIndex((line, index) => !verbatim[index] && markers.some((pair) => pair.begin === line.trim()))
  if (begin < 0) return undefined
  const closing = markers.find((pair) => pair.begin === lines[begin].trim()).end
  return {
    begin,
    closing,
    end: lines.findIndex((line, index) => index > begin && !verbatim[index] && line.trim() === closing),
  }
}

/** One line a heading, each under the last one of a higher level, however many levels a person left out. */
function contentsOf(headings) {
  const above = []
  return headings.map(({ level, text, slug }) => {
    while (above.length > 0 && above.at(-1) >= level) above.pop()
    const indent = '  '.repeat(above.length)
    above.push(level)
    return `${indent}- [${balanced(withoutLinks(text).trim())}](#${slug})`
  })
}

/** A lone bracket would end the link's words, or keep them from ending. */
function balanced(words) {
  const rest = words.replaceAll(/`[^`]*`|\\./g, '').replaceAll(/\[[^[\]]*\]/g, '')
  return /[[\]]/.test(rest) ? words.replaceAll(/(?<!\\)[[\]]/g, '\\$&') : words
}

function offsetOf(text, line) {
  let offset = 0
  for (let count = 0; count < line; count++) offset = text.indexOf('\n', offset) + 1
  return offset
}
