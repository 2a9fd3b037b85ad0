// The exports of a module, read from its tokens.
import { readEnd, readNames } from './imports.mjs'

/**
 * Every export of a module, in order, as one of
 * `{ kind: 'declaration', what, name, start, inner, end, tokens }`: `inner` is where the declaration begins behind `export`, `end` and `tokens` (of the declaration) are
 * undefined when its end is not sure;
 * `{ kind: 'list', names, from, start, end }` with `from` where it passes on another module's;
 * `{ kind: 'star', from }`, `{ kind: 'default' }`, and `{ kind: 'unknown' }` for every form that is not known.
 */
export function readExports(tokens) {
  return tokens.flatMap((token, index) => {
    const before = tokens[index - 1]?.text
    if (token.text !== 'export' || token.depth > 0 || before === '.' || before === '?.') return []
    return [
      { start: token.start, ...(isDecorated(tokens, index) ? { kind: 'unknown' } : readExport(tokens, index + 1)) },
    ]
  })
}

/** `@decorator export class` begins before its export. */
function isDecorated(tokens, index) {
  for (let at = index - 1; at >= 0; at--) {
    const { text, depth } = tokens[at]
    if (depth === 0 && text.startsWith('@')) return true
    if (depth === 0 && (text === ';' || text === '}')) return false
  }
  return false
}

const textAt = (tokens, index) => tokens[index]?.text ?? ''

function readExport(tokens, index) {
  if (textAt(tokens, index) === 'default') return { kind: 'default' }
  const typed = textAt(tokens, index) === 'type' && /^[{*]$/.test(textAt(tokens, index + 1))
  const at = typed ? index + 1 : index
  if (textAt(tokens, at) === '{') return readList({ tokens, at })
  if (textAt(tokens, at) === '*') return readStar({ tokens, at: at + 1 })
  return readDeclaration(tokens, index)
}

function readList(cursor) {
  const names = readNames(cursor)
  if (!names) return { kind: 'unknown' }
  const passesOn = cursor.tokens[cursor.at]?.text === 'from' && cursor.tokens[cursor.at + 1]?.kind === 'string'
  if (passesOn) cursor.at += 2
  const from = passesOn ? cursor.tokens[cursor.at - 1].text.slice(1, -1) : undefined
  return { kind: 'list', names, from, end: readEnd(cursor).end }
}

function readStar({ tokens, at }) {
  const from = tokens[at]?.text === 'as' ? at + 3 : at + 1
  return tokens[from]?.kind === 'string' ? { kind: 'star', from: tokens[from].text.slice(1, -1) } : { kind: 'unknown' }
}

const modifiers = new Set(['declare', 'abstract', 'async'])
const braced = new Set(['function', 'class', 'interface', 'enum'])
const valued = new Set(['const', 'let', 'var', 'type'])

function readDeclaration(tokens, index) {
  let at = index
  while (modifiers.has(textAt(tokens, at))) at++
  if (textAt(tokens, at) === 'const' && textAt(tokens, at + 1) === 'enum') at++
  const what = textAt(tokens, at)
  const name = textAt(tokens, at + 1) === '*' ? at + 2 : at + 1
  if (tokens[name]?.kind !== 'word') return { kind: 'unknown' }
  return endDeclaration(
    { kind: 'declaration', what, name: tokens[name].text, inner: tokens[index].start },
    { tokens, index, name },
  )
}

function endDeclaration(declaration, { tokens, index, name }) {
  const { what } = declaration
  if (!braced.has(what) && !valued.has(what)) return { kind: 'unknown' }
  if (tokens[index].text === 'declare') return declaration
  const last = endOf(what, tokens, name)
  if (last === 'several') return { kind: 'unknown' }
  return last === undefined
    ? declaration
    : { ...declaration, end: tokens[last].end, tokens: tokens.slice(index, last + 1) }
}

function endOf(what, tokens, name) {
  return braced.has(what) ? bodyEnd(tokens, name) : valueEnd(tokens, name)
}

/** Words of types behind which a brace is part of the type. */
const typeWords = new Set(['is', 'extends', 'keyof', 'infer', 'typeof', 'readonly', 'unique', 'asserts'])

/** The index of the brace that ends a body. Braces of types before it stand behind a mark such as `:` or `|`. */
function bodyEnd(tokens, name) {
  const depth = tokens[name].depth
  for (let at = name + 1; at < tokens.length; at++) {
    const [token, before] = [tokens[at], tokens[at - 1]]
    if (token.depth > depth) continue
    if (token.text === ';' || token.text === 'export' || token.text === 'import') return undefined
    const endsHeader = before.kind === 'mark' ? /^[)}\]>]$/.test(before.text) : !typeWords.has(before.text)
    if (token.text === '{' && endsHeader) return closingOf(tokens, at)
  }
  return undefined
}

function closingOf(tokens, opening) {
  const { depth } = tokens[opening]
  return tokens.findIndex((token, index) => index > opening && token.depth === depth && /^[)}\]]$/.test(token.text))
}

/** Words that go on with an expression or a type on the next line. */
const continuing = new Set(['instanceof', 'in', 'as', 'satisfies', 'extends', 'is'])

/** The index of the last token of `name = …`; 'several' when a comma follows, undefined when there is no value. */
function valueEnd(tokens, name) {
  const depth = tokens[name].depth
  let hasValue = false
  for (let at = name + 1; at < tokens.length; at++) {
    const token = tokens[at]
    if (token.depth > depth) continue
    if (token.text === ',') return 'several'
    if (token.text === ';') return hasValue ? at : undefined
    if (token.newLine && endsStatement(tokens, at)) return hasValue ? at - 1 : undefined
    hasValue ||= token.text === '='
  }
  return hasValue ? tokens.length - 1 : undefined
}

/** Does a statement end before this token, which begins a line? (The rule of JavaScript: where the line cannot be read on.) */
function endsStatement(tokens, at) {
  const [before, token, next] = [tokens[at - 1], tokens[at], tokens[at + 1]]
  const complete = before.kind === 'mark' ? /^(?:[)}\]>]|\+\+|--)$/.test(before.text) : !typeWords.has(before.text)
  if (!complete) return false
  if (token.kind === 'mark') return /^(?:\{|~|\+\+|--)$/.test(token.text) || (token.text === '!' && next?.text !== '=')
  return token.kind === 'template' ? false : !continuing.has(token.text)
}

const harmlessCalls = new Set(['Set', 'Map', 'WeakSet', 'WeakMap', 'freeze'])

/** Does evaluating the declaration do nothing but make the thing that it names? */
export function isHarmless({ what, tokens }) {
  if (!tokens) return false
  if (what === 'function' || what === 'interface' || what === 'type') return true
  if (what === 'enum') return !tokens.some(({ text }) => text === '(')
  if (what === 'class')
    return !tokens.some(
      (token, index) => token.text === 'static' || token.text.startsWith('@') || isComputedKey(tokens, index),
    )
  return isHarmlessValue(tokens)
}

function isComputedKey(tokens, index) {
  const [before, token, after] = [tokens[index - 1], tokens[index], tokens[index + 1]]
  return (
    token.text === '[' &&
    token.depth === tokens[0].depth + 1 &&
    /^(?:[{};*]|get|set|async)$/.test(before.text) &&
    after.text !== 'Symbol'
  )
}

function isHarmlessValue(tokens) {
  const value = tokens.slice(tokens.findIndex(({ text, depth }) => text === '=' && depth === tokens[0].depth) + 1)
  if (isFunction(value)) return true
  return value.every(({ kind, text }, index) => {
    const before = value[index - 1]?.text
    if (kind === 'template') return text.startsWith('`') && text.endsWith('`')
    if (kind === 'word') return !/^(?:await|yield|import|delete|function|class)$/.test(text)
    if (kind !== 'mark') return true
    if (text === '(') return harmlessCalls.has(before)
    if (text === '.') return before === 'Object' && value[index + 1]?.text === 'freeze'
    return /^[[\]{}),:;+-]$/.test(text)
  })
}

/** A function that is only made, and not called at once. */
function isFunction(value) {
  const rest = textAt(value, 0) === 'async' ? value.slice(1) : value
  if (textAt(rest, 0) === 'function') return value.findLast(({ text }) => text !== ';').text === '}'
  const behind = textAt(rest, 0) === '(' ? closingOf(rest, 0) + 1 : 1
  const hasArrow = rest.some(({ text, depth }) => text === '=>' && depth === rest[0].depth)
  return hasArrow && /^(?:=>|:)$/.test(textAt(rest, behind))
}
