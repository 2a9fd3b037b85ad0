// The import declarations of a module, read from its tokens.

/**
 * Every import declaration at the top of a module's scope, in order:
 * `{ start, end, tokens, from, quote, typeOnly, attributes, defaultName, namespace, names }`. `from` is the module's name as written between its quotes, `names`
 * are `{ text, imported, local, typeOnly }` or undefined without braces, `attributes` the text of `with { … }`. A form that is not known
 * (`import x = require()`, `import defer`) is `{ start, unknown: true }`. Expressions such as `import()` are none.
 */
export function readImports(tokens) {
  return tokens.flatMap((token, index) => (isDeclaration(tokens, index) ? [readImport(tokens, index)] : []))
}

function isDeclaration(tokens, index) {
  const token = tokens[index]
  const before = tokens[index - 1]?.text
  const after = tokens[index + 1]?.text
  return (
    token.text === 'import' && token.depth === 0 && before !== '.' && before !== '?.' && after !== '(' && after !== '.'
  )
}

function readImport(tokens, index) {
  const first = tokens[index]
  const cursor = { tokens, at: index + 1 }
  const clause = readClause(cursor)
  const module = clause && cursor.tokens[cursor.at++]
  if (tokens[index - 1]?.text === 'export' || module?.kind !== 'string') return { start: first.start, unknown: true }
  const attributes = readAttributes(cursor)
  const last = readEnd(cursor)
  const [quote] = module.text
  const read = {
    start: first.start,
    end: last.end,
    tokens: tokens.slice(index, cursor.at),
    from: module.text.slice(1, -1),
    quote,
  }
  return { ...read, ...clause, attributes, semicolon: last.text === ';' }
}

/** What stands between `import` and the module's name; undefined when the form is not known. */
function readClause(cursor) {
  const clause = { typeOnly: false, defaultName: undefined, namespace: undefined, names: undefined }
  if (peek(cursor)?.kind === 'string') return clause
  if (isTypeOnly(cursor)) {
    clause.typeOnly = true
    cursor.at++
  }
  if (peek(cursor)?.kind === 'word') {
    clause.defaultName = cursor.tokens[cursor.at++].text
    if (peek(cursor)?.text === ',') cursor.at++
  }
  return readRest(cursor, clause) && cursor.tokens[cursor.at++]?.text === 'from' ? clause : undefined
}

/** The namespace or the names, where there are any; false when the form is not known. */
function readRest(cursor, clause) {
  if (peek(cursor)?.text === '*' && peek(cursor, 1)?.text === 'as') {
    clause.namespace = peek(cursor, 2)?.text
    cursor.at += 3
  } else if (peek(cursor)?.text === '{') {
    clause.names = readNames(cursor)
    return clause.names !== undefined
  }
  return true
}

function peek(cursor, ahead = 0) {
  return cursor.tokens[cursor.at + ahead]
}

/** `import type X`, `import type {`, `import type *`: but `import type from` imports something that is called type. */
function isTypeOnly(cursor) {
  if (peek(cursor)?.text !== 'type') return false
  const next = peek(cursor, 1)
  if (next?.text === '{' || next?.text === '*') return true
  return next?.kind === 'word' && (next.text !== 'from' || peek(cursor, 2)?.text === 'from')
}

/** Reads `{ a, b as c, type D }` from its brace; undefined when an element is not known. Leaves the cursor behind it. */
export function readNames(cursor) {
  const elements = [[]]
  for (cursor.at++; peek(cursor) && peek(cursor).text !== '}'; cursor.at++) {
    if (peek(cursor).text === ',') elements.push([])
    else elements.at(-1).push(peek(cursor))
  }
  cursor.at++
  const names = elements.filter((element) => element.length > 0).map(readName)
  return names.includes(undefined) ? undefined : names
}

function readName(element) {
  const words = element.map(({ text }) => text)
  const typeOnly = words[0] === 'type' && (words.length === 2 || words.length === 4)
  const [imported, as, local, ...more] = typeOnly ? words.slice(1) : words
  if (more.length > 0 || (as !== undefined && (as !== 'as' || local === undefined || local === 'as'))) return undefined
  return {
    text: words.join(' '),
    imported,
    local: local ?? imported,
    typeOnly,
    start: element[0].start,
    end: element.at(-1).end,
  }
}

function readAttributes(cursor) {
  const word = peek(cursor)
  if (!(word?.text === 'with' || (word?.text === 'assert' && !word.newLine)) || peek(cursor, 1)?.text !== '{') return ''
  const start = cursor.at
  while (peek(cursor) && peek(cursor).text !== '}') cursor.at++
  cursor.at++
  return cursor.tokens
    .slice(start, cursor.at)
    .map(({ text }) => text)
    .join(' ')
}

/** The last token of a declaration: its semicolon, where there is one on the line. Leaves the cursor behind it. */
export function readEnd(cursor) {
  const next = peek(cursor)
  if (next?.text === ';' && !next.newLine) cursor.at++
  return cursor.tokens[cursor.at - 1]
}
