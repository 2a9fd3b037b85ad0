import { padEnd } from './pad.js'
import { widthOf } from './width.js'
import { padStart } from './pad.js'

const gap = '  '

/** Rows of cells as one text; the first row is the head. Columns of numbers are aligned to the right. */
export function table(rows) {
  const texts = rows.map((row) => row.map(String))
  const [head = [], ...body] = texts
  const widths = head.map((_, column) => Math.max(...texts.map((row) => widthOf(row[column] ?? ''))))
  const numeric = head.map((_, column) => body.length > 0 && body.every((row) => isNumber(row[column] ?? '')))
  const line = (row) =>
    widths
      .map((width, column) => (numeric[column] ? padStart : padEnd)(row[column] ?? '', width))
      .join(gap)
      .trimEnd()
  return [line(head), widths.map((width) => '-'.repeat(width)).join(gap), ...body.map(line)].join('\n')
}

function isNumber(text) {
  return text.trim() !== '' && Number.isFinite(Number(text))
}
