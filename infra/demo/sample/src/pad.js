import { widthOf } from './width.js'

/** The text with spaces after it, so that it takes `columns`. */
export function padEnd(text, columns) {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}

/** The text with spaces before it, so that it takes `columns`. */
export function padStart(text, columns) {
  return ' '.repeat(Math.max(0, columns - widthOf(text))) + text
}
