/** Breaks a sequence for those who act on it, and is not seen by those who read it. */
const gap = '\u200B'

/**
 * Text of an agent or a repository, made harmless in Markdown and in commit messages: it mentions nobody, closes no issue, loads no
 * image, is no HTML, gives no bot a command. What a person sees of it stays the same. Hidden and control characters are removed,
 * and counted, so that the reader can be told.
 */
export function neutralise(text: string): { text: string; hidden: number } {
  const normalised = text.replaceAll(/\r\n?/g, '\n')
  const visible = normalised.replaceAll(/[^\P{C}\n\t]|\p{Default_Ignorable_Code_Point}/gu, '')
  const harmless = visible
    // A character written as an entity becomes that character before mentions and references are looked for.
    .replaceAll(/&(?=[#\w])/g, `&${gap}`)
    .replaceAll(/@(?=\S)/g, `@${gap}`)
    .replaceAll(/#(?=\d)/g, `#${gap}`)
    .replaceAll(/\b(GH-)(?=\d)/gi, `$1${gap}`)
    .replaceAll(/(\/(?:issues|pull|pulls|discussions|commit|merge_requests)\/)(?=\w)/gi, `$1${gap}`)
    .replaceAll(/!(?=\[)/g, `!${gap}`)
    .replaceAll(/<(?=[\w/!?])/g, `<${gap}`)
    .replaceAll(/^(\s*)\/(?=\w)/gm, `$1/${gap}`)
  return { text: harmless, hidden: Array.from(normalised).length - Array.from(visible).length }
}

/** The same as a block of its own, in which Markdown means nothing; the fence is longer than any in the text. */
export function fenced(text: string): string {
  const harmless = neutralise(text).text
  const longest = Math.max(2, ...[...harmless.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${harmless}\n${fence}`
}

/** The same for a title: one line, at most `max` characters. */
export function neutraliseLine(text: string, max: number): string {
  const line = neutralise(text).text.replaceAll(/\s+/g, ' ').trim()
  const characters = Array.from(line)
  return characters.length <= max
    ? line
    : `${characters
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`
}
