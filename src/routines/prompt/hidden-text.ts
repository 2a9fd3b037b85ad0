import { joiningLetters } from '../../joining-scripts.ts'

/** Text as a person would see it, and what had to be taken out of it for that. */
export type Seen = { text: string; characters: number; comments: number }

/** Directions, zero width, fillers, tags and variation selectors, controls, halves of characters. */
const unseen = /\p{Default_Ignorable_Code_Point}|[\ufff9-\ufffb]|[^\P{Cc}\t\n]|\p{Cs}/gu
const joined = `[[${joiningLetters}]--[\\p{Cf}]]`
/** Where a joiner or a selector belongs to what is seen: within an emoji, and within words of scripts that need it. */
const belongs = new RegExp(
  `(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}]\\ufe0f?)\\u200d(?=\\p{Extended_Pictographic})|(?<=\\p{Emoji})\\ufe0f|(?<=${joined})[\\u200c\\u200d](?=${joined})`,
  'gv',
)
/** An HTML comment, also one whose brackets are written as entities; one without an end hides all that follows. */
const comment = /(?:<|&lt;|&#0*60;|&#x0*3c;)!--[\s\S]*?(?:--!?(?:>|&gt;|&#0*62;|&#x0*3e;)|$)/gi
/** Comments in pieces of comments: each pass takes one layer. Nobody needs more, so what begins one after that is taken out, too. */
const layers = 8

/** Removes what people do not see and agents read. Line ends become `\n`. */
export function withoutHidden(written: string): Seen {
  const { text: seen, characters } = withoutHiddenCharacters(written)
  let [text, comments] = [seen, 0]
  for (let layer = 0; layer < layers && text.search(comment) !== -1; layer += 1) {
    text = text.replaceAll(comment, () => {
      comments += 1
      return ''
    })
  }
  return { text: text.search(comment) === -1 ? text : text.replaceAll('!--', ''), characters, comments }
}

export function withoutHiddenCharacters(written: string): Seen {
  const lines = written.replaceAll(/\r\n?/g, '\n')
  const kept = new Set([...lines.matchAll(belongs)].map((match) => match.index))
  let characters = 0
  const text = lines.replaceAll(unseen, (found: string, index: number) => {
    if (kept.has(index)) return found
    characters += 1
    return ''
  })
  return { text, characters, comments: 0 }
}
