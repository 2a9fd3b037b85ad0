import { withoutHidden, withoutHiddenCharacters } from './hidden-text.ts'

/** Of one value, and of all values of a prompt together, in characters. */
const mostOfOne = 32 * 1024
const mostOfAll = 128 * 1024
/** Hidden text is looked for in no more of a value than this. */
const mostRead = 8 * mostOfOne

export type OutsideText = {
  /** A value between marks that it cannot contain, ready to be put into a prompt; lists and maps as JSON. */
  put(from: string, value: string | object): string
  /** How often that was done, and what was taken out. */
  readonly told: { values: number; characters: number; comments: number; cut: number }
}

/**
 * Text of people and programs we do not know, for a prompt: between `<untrusted-NONCE from="…" characters="…">` and
 * `</untrusted-NONCE>`. Nobody outside knows the nonce, so it is seen where the text begins and ends, whatever it says. `cut`
 * says how many characters are missing at its end.
 */
export function createOutsideText(nonce: string): OutsideText {
  const told = { values: 0, characters: 0, comments: 0, cut: 0 }
  let left = mostOfAll

  /** At most `most` of it is looked at; the rest is cut. */
  function seen(written: string, most: number, look = withoutHidden): string {
    const { text, characters, comments } = look(written.slice(0, most))
    told.characters += characters
    told.comments += comments
    return text
  }
  /** Each text inside by itself: a comment that one begins must not hide the next. */
  function asJson(value: object): { text: string; unread: number } {
    let [most, unread] = [mostRead, 0]
    const json = JSON.stringify(value, (_, part: unknown) => {
      if (typeof part !== 'string') return part
      const text = seen(part, most)
      unread += Math.max(0, part.length - most)
      most = Math.max(0, most - part.length)
      return text
    })
    return { text: seen(json, json.length, withoutHiddenCharacters), unread }
  }
  const asRead = (text: string) => ({ text: seen(text, mostRead), unread: Math.max(0, text.length - mostRead) })

  return {
    told,
    put(from, value) {
      const read = typeof value === 'string' ? asRead(value) : asJson(value)
      // Nobody can guess it. Where somebody did all the same, the marks still hold.
      const whole = read.text.replaceAll(nonce, '[removed]')
      const text = withoutHalf(whole.slice(0, Math.min(mostOfOne, left)))
      const cut = read.unread + whole.length - text.length
      left -= text.length
      told.values += 1
      told.cut += cut
      const missing = cut > 0 ? ` cut="${cut}"` : ''
      return `<untrusted-${nonce} from="${from}" characters="${text.length}"${missing}>${text}</untrusted-${nonce}>`
    },
  }
}

/** A stretch of a prompt; `from` is null for words of the routine and of ours, `cut` the characters that are missing at its end. */
export type PromptPart = { from: string | null; text: string; cut: number }

/** The stretches of a prompt that was filled with this nonce. No text from outside can end one early or begin one: it has no nonce. */
export function partsOf(prompt: string, nonce: string): PromptPart[] {
  const marked = new RegExp(
    `<untrusted-${nonce} from="([^"]*)" characters="\\d+"(?: cut="(\\d+)")?>([^]*?)</untrusted-${nonce}>`,
    'g',
  )
  const parts: PromptPart[] = []
  let end = 0
  const ours = (text: string) => (text === '' ? [] : [{ from: null, text, cut: 0 }])
  for (const found of prompt.matchAll(marked)) {
    const [whole, from = '', cut = '0', text = ''] = found
    parts.push(...ours(prompt.slice(end, found.index)), { from, text, cut: Number(cut) })
    end = found.index + whole.length
  }
  return [...parts, ...ours(prompt.slice(end))]
}

/** A cut must not leave half a character. */
function withoutHalf(text: string): string {
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text
}
