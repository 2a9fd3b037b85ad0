import { joiningLetters } from '../joining-scripts.ts'

/** Directions, zero width, fillers, tags, selectors; `\p{Cf}` has more, which some scripts show. */
const unseen = /\p{Default_Ignorable_Code_Point}|[\ufff9-\ufffb]/gu
const directions = /[\u202a-\u202e\u2066-\u2069]/
const marks = /[\u061c\u200e\u200f]/
const fromTheRight = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u
/** Joiners and selectors within words that need them and within emoji, the tags of a flag, and variants of Chinese characters. */
const belongs = new RegExp(
  [
    `(?<=[${joiningLetters}])[\\u200c\\u200d\\u180b-\\u180f](?=[${joiningLetters}]|\\s|$)`,
    String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?)\u200d(?=\p{Extended_Pictographic})`,
    String.raw`(?<=[\p{Emoji}\p{S}\p{P}])[\ufe0e\ufe0f]`,
    String.raw`(?<=\p{Script=Han})[\ufe00-\ufe02\u{e0100}-\u{e01ef}]`,
    String.raw`(?<=\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{0,6})[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}\u{e007f}]`,
  ].join('|'),
  'gu',
)

/** The first character of a text that changes what people see of it, or that they do not see at all; where, and what it is. */
export function findUnseen(text: string): { at: number; what: string } | undefined {
  let kept: Set<number> | undefined
  for (const { 0: character, index } of text.matchAll(unseen)) {
    if (directions.test(character))
      return { at: index, what: `${nameOf(character)}, which turns the direction of text` }
    if (marks.test(character) && fromTheRight.test(lineAround(text, index))) continue
    kept ??= new Set([...text.matchAll(belongs)].map((match) => match.index))
    if (!kept.has(index)) return { at: index, what: `${nameOf(character)}, which nobody sees` }
  }
  return undefined
}

function nameOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}

/** As much of its line as decides what it is. */
function lineAround(text: string, index: number): string {
  const [before, after] = [text.slice(Math.max(0, index - 1000), index), text.slice(index, index + 1000)]
  return before.slice(before.lastIndexOf('\n') + 1) + after.slice(0, (after.indexOf('\n') + 1 || 1001) - 1)
}

/** Letters of other scripts that are drawn as Latin ones; all of the scripts that are hardly written beside Latin. */
const lookalikes = String.raw`[АВЕЗІЈКМНОРСТУХЅԌԚԜаесіјкорсухѕһԁԛԝӏьΑΒΕΖΗΙΚΜΝΟΡΤΥΧο\p{Script=Cherokee}\p{Script=Armenian}\p{Script=Coptic}\p{Script=Lisu}\p{Script=Deseret}]`
const mixed = new RegExp(String.raw`\p{Script=Latin}\p{M}*${lookalikes}|${lookalikes}\p{M}*\p{Script=Latin}`, 'u')

/** The first word that mixes Latin letters with letters of another script that look like them. */
export function findMixed(text: string): { at: number; what: string } | undefined {
  const found = mixed.exec(text)
  if (!found) return undefined
  const [start, end] = [text.slice(0, found.index), text.slice(found.index)]
  const word =
    (/[\p{L}\p{M}\p{N}_]{0,40}$/u.exec(start.slice(-80))?.[0] ?? '') +
    (/^[\p{L}\p{M}\p{N}_]{0,40}/u.exec(end)?.[0] ?? '')
  return { at: found.index, what: word }
}
