import { widthOf } from './width.js'

/** The text as lines that are no wider than `width`, unless a single word is. */
export function wrap(text, width) {
  const lines = []
  let line = ''
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer) > width) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  return [...lines, ...(line === '' ? [] : [line])].join('\n')
}
