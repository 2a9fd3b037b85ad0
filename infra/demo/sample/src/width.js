/** Ranges of characters that take two columns: East Asian scripts and most pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u

/** The columns that a text takes in a terminal. */
export function widthOf(text) {
  let columns = 0
  for (const character of text) columns += columnsOf(character)
  return columns
}

/** The columns of one character: 0 for a mark on the one before, 2 for a wide one. */
export function columnsOf(character) {
  if (/\p{M}/u.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

/** The text, cut so that it takes at most `columns`. */
export function cutTo(text, columns) {
  let cut = ''
  for (const character of text) {
    if (widthOf(cut + character) > columns) break
    cut += character
  }
  return cut
}
