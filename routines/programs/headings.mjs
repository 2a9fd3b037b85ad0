// The headings of a Markdown file, as GitHub shows and links them.

/**
 * The headings of a Markdown text in order: `{ line, level, text, slug }`, `line` counted from 0. What only looks like a heading – in
 * code, in HTML, in front matter – is none. `lines` are without their line ends.
 */
export function findHeadings(lines) {
  const slugs = createSlugs()
  const found = []
  let paragraph = []
  let block = frontMatter(lines)
  for (const [index, line] of lines.entries()) {
    if (block) {
      if (index > 0 && block.ends(line)) block = undefined
      continue
    }
    const heading = atxHeading(line) ?? setextHeading(line, paragraph)
    if (heading) found.push({ line: index, ...heading, slug: slugs(heading.text) })
    else block = openBlock(line, paragraph)
    paragraph = !heading && !block && continues(line, paragraph) ? [...paragraph, line.trim()] : []
  }
  return found
}

/** The lines on which blocks begin and end whose insides are not Markdown; a list of booleans, one a line. */
export function verbatimLines(lines) {
  let block = frontMatter(lines)
  return lines.map((line, index) => {
    const inside = block !== undefined
    if (block && index > 0 && block.ends(line)) block = undefined
    else if (!block) block = fence(line)
    return inside || block !== undefined
  })
}

function frontMatter(lines) {
  if (lines[0]?.replace('\uFEFF', '').trimEnd() !== '---') return undefined
  const ends = (line) => /^(?:---|\.\.\.)\s*$/.test(line)
  return lines.slice(1).some(ends) ? { ends } : undefined
}

function atxHeading(line) {
  const parts = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/.exec(line)
  if (!parts) return undefined
  const text = (parts[2] ?? '').trim()
  // `## ##` is an empty heading with a closing sequence.
  return { level: parts[1].length, text: /^#+$/.test(text) ? '' : text }
}

function setextHeading(line, paragraph) {
  const underline = /^ {0,3}(=+|-+)[ \t]*$/.exec(line)
  if (!underline || paragraph.length === 0) return undefined
  return { level: underline[1].startsWith('=') ? 1 : 2, text: paragraph.join(' ') }
}

/** Can this line belong to a paragraph, which an underline would make a heading? Lists, quotes and indented code cannot. */
function continues(line, paragraph) {
  if (line.trim() === '') return false
  return paragraph.length > 0
    ? !/^ {0,3}(?:>|[-+*][ \t]|1[.)][ \t])/.test(line)
    : !/^(?: {4}| {0,3}\t| {0,3}(?:>|[-+*](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)))/.test(line)
}

function openBlock(line, paragraph) {
  return fence(line) ?? htmlBlock(line, paragraph)
}

function fence(line) {
  const opening = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line)
  if (!opening || (opening[1].startsWith('`') && opening[2].includes('`'))) return undefined
  const closing = new RegExp(`^ {0,3}${opening[1][0]}{${opening[1].length},}[ \\t]*$`)
  return { ends: (later) => closing.test(later) }
}

const blockTags =
  'address|article|aside|blockquote|body|center|dd|details|dialog|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|html|iframe|li|main|menu|nav|ol|p|section|summary|table|tbody|td|tfoot|th|thead|tr|ul'
const blockTag = new RegExp(`^ {0,3}</?(?:${blockTags})(?:[\\s/>]|$)`, 'i')

function htmlBlock(line, paragraph) {
  const untilText = (end) =>
    line.toLowerCase().includes(end) ? undefined : { ends: (later) => later.toLowerCase().includes(end) }
  if (/^ {0,3}<!--/.test(line))
    return line.slice(line.indexOf('<!--') + 4).includes('-->') ? undefined : { ends: (later) => later.includes('-->') }
  const raw = /^ {0,3}<(pre|script|style|textarea)(?:[\s>]|$)/i.exec(line)
  if (raw) return untilText(`</${raw[1].toLowerCase()}>`)
  const alone = paragraph.length === 0 && /^ {0,3}<\/?[a-z][a-z0-9-]*(?:\s[^<>]*)?\/?>\s*$/i.test(line)
  return blockTag.test(line) || alone ? { ends: (later) => later.trim() === '' } : undefined
}

/**
 * GitHub's anchors: small letters, without punctuation, spaces as hyphens; what comes again is numbered. The same rule as the
 * github-slugger package, https://github.com/Flet/github-slugger
 */
function createSlugs() {
  const seen = new Map()
  return (text) => {
    const slug = plainText(text)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-')
    let unique = slug
    while (seen.has(unique)) {
      seen.set(slug, seen.get(slug) + 1)
      unique = `${slug}-${seen.get(slug)}`
    }
    seen.set(unique, 0)
    return unique
  }
}

const codeSpan = /(?<!`)(`+)(?!`)(.*?[^`])\1(?!`)/g

/** What a reader sees of a heading, as far as the anchor depends on it. */
function plainText(text) {
  let plain = ''
  let end = 0
  for (const span of text.matchAll(codeSpan)) {
    plain += unmarked(text.slice(end, span.index)) + span[2].replace(/^ (.*[^ ].*) $/, '$1')
    end = span.index + span[0].length
  }
  return plain + unmarked(text.slice(end))
}

const entities = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  reg: '®',
  mdash: '—',
  ndash: '–',
  hellip: '…',
}

function unmarked(text) {
  return withoutLinks(text)
    .replaceAll(/<\/?[a-z][^<>]*>|<!--.*?-->/gi, '')
    .replaceAll(/&([a-z]+);/gi, (whole, name) => entities[name.toLowerCase()] ?? whole)
    .replaceAll(/(?<![\p{L}\p{N}_\\])(_{1,3})(?=\S)(.+?)(?<=[^\s\\])\1(?![\p{L}\p{N}_])/gu, '$2')
}

/** The text with links as their words and without images: a list of contents cannot hold a link in a link. */
export function withoutLinks(text) {
  return text
    .replaceAll(/!\[[^\]]*\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])/g, '')
    .replaceAll(/(?<!\\)\[([^[\]]*(?:\[[^[\]]*\][^[\]]*)*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])/g, '$1')
}
