/** A joiner that carries meaning: inside an emoji, or in a script that is written with joiners. */
const inUse = new RegExp(
  String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}0-9#*]\ufe0f?)[\u200d\ufe0f]|(?<=[\p{Script=Arabic}\p{Script=Syriac}\p{M}])[\u200c\u200d]`,
  'u',
)
/** Everything that prints nothing, reorders its neighbours or moves the cursor; tab and newline are layout and stay. */
const hidden = new RegExp(
  String.raw`(?!${inUse.source})(?:[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\p{Cs})`,
  'gu',
)

/** The same text with control, bidirectional and invisible characters written out, so that nobody reads past them. */
export function visible(text: string): string {
  return text.replaceAll(hidden, written)
}

function written(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
}
