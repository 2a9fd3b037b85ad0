// JavaScript and TypeScript as a list of tokens. Enough of the grammar to know strings, templates, comments and regular expressions apart.

/**
 * Cuts a source into `tokens` (`{ kind, text, start, end, depth, newLine }`; kinds: word number string template regex mark) and `comments`
 * (`{ text, start, end }`). `depth` counts the brackets around a token; `newLine` says that it is the first on its line. `trouble` is why the rest could
 * not be read, `{ at, why }`; the tokens before it are right. Markup in a script (JSX) is such a trouble: its text follows other rules.
 */
export function readTokens(source, { markup = true } = {}) {
  const reader = {
    source,
    markup,
    at: 0,
    tokens: [],
    comments: [],
    open: [],
    ended: false,
    newLine: true,
    trouble: undefined,
  }
  if (source.startsWith('#!')) reader.at = source.search(/\n|$/)
  while (!reader.trouble && skipBlank(reader)) readToken(reader)
  if (!reader.trouble && reader.open.length > 0)
    reader.trouble = { at: source.length, why: `${reader.open.at(-1).text} is never closed` }
  return { tokens: reader.tokens, comments: reader.comments, trouble: reader.trouble }
}

const patterns = {
  blank: /[\s\uFEFF]+/y,
  comment: /\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\//y,
  word: /[#@]?(?:[\p{ID_Start}$_]|\\u(?:[\da-f]{4}|\{[\da-f]+\}))(?:[\p{ID_Continue}$\u200c\u200d]|\\u(?:[\da-f]{4}|\{[\da-f]+\}))*/iuy,
  number: /0[xob][\da-f_]+n?|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:e[+-]?\d[\d_]*)?n?/iy,
  string: /'(?:[^'\\\n\r]|\\(?:\r\n|[\s\S]))*'|"(?:[^"\\\n\r]|\\(?:\r\n|[\s\S]))*"/y,
  template: /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y,
  regex: /\/(?![*/])(?:[^/\\[\n\r]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*\])+\/[\p{ID_Continue}$]*/uy,
  mark: /=>|\+\+|--|<<|\.\.\.|\?\.(?!\d)|[^\s\w]/uy,
}

/** After these words an operand begins, so that a slash begins a regular expression. */
const beforeOperand = new Set(
  'return typeof instanceof in of new delete void throw case do else await yield extends default'.split(' '),
)
const beforeCondition = new Set(['if', 'while', 'for', 'with'])

function take(reader, pattern) {
  pattern.lastIndex = reader.at
  const text = pattern.exec(reader.source)?.[0]
  if (text !== undefined) reader.at += text.length
  return text
}

/** Moves to the next token; false at the end. */
function skipBlank(reader) {
  for (;;) {
    const start = reader.at
    const blank = take(reader, patterns.blank)
    const comment = blank === undefined ? take(reader, patterns.comment) : undefined
    if (comment !== undefined) reader.comments.push({ text: comment, start, end: reader.at })
    if (/[\n\r\u2028\u2029]/.test(blank ?? comment ?? '')) reader.newLine = true
    if (blank === undefined && comment === undefined) return reader.at < reader.source.length
  }
}

function push(reader, kind, start) {
  const { source, at, open, newLine, tokens } = reader
  tokens.push({ kind, text: source.slice(start, at), start, end: at, depth: open.length, newLine })
  reader.newLine = false
}

function readToken(reader) {
  const start = reader.at
  const next = reader.source[start]
  if (next === '`') {
    reader.at++
    return readTemplate(reader, start)
  }
  if (next === '/' && !reader.ended)
    return readOperand(reader, 'regex', 'this regular expression does not end on its line')
  if (next === '"' || next === "'") return readOperand(reader, 'string', 'this string does not end on its line')
  if (/\d/.test(next) || (next === '.' && /\d/.test(reader.source[start + 1] ?? '')))
    return readOperand(reader, 'number', 'this number is not understood')
  if (take(reader, patterns.word) !== undefined) return endWord(reader, start)
  return readMark(reader, start)
}

function readOperand(reader, kind, why) {
  const start = reader.at
  if (take(reader, patterns[kind]) === undefined) reader.trouble = { at: start, why }
  else push(reader, kind, start)
  reader.ended = true
}

function endWord(reader, start) {
  const before = reader.tokens.at(-1)?.text
  push(reader, 'word', start)
  reader.ended = isMember(before) || !beforeOperand.has(reader.source.slice(start, reader.at))
}

function isMember(before) {
  return before === '.' || before === '?.'
}

function readTemplate(reader, start) {
  const piece = take(reader, patterns.template)
  if (piece === undefined) {
    reader.trouble = { at: start, why: 'this template is never closed' }
    return
  }
  push(reader, 'template', start)
  reader.ended = piece.endsWith('`')
  if (!reader.ended) reader.open.push({ text: '${', ended: true })
}

function readMark(reader, start) {
  const text = take(reader, patterns.mark)
  if (text === '<' && reader.markup && !reader.ended) {
    reader.trouble = { at: start, why: 'markup in a script is not understood' }
  } else if ('([{'.includes(text)) {
    open(reader, text, start)
  } else if (')]}'.includes(text)) {
    close(reader, text, start)
  } else {
    push(reader, 'mark', start)
    // x++ and the x! of TypeScript end an operand as x does; before one they do not.
    reader.ended &&= text === '++' || text === '--' || (text === '!' && !reader.tokens.at(-1).newLine)
  }
}

function open(reader, text, start) {
  const before = reader.tokens.at(-1)
  const isCondition = text === '(' && opensCondition(reader.tokens)
  const isBlock = text === '{' && (reader.ended || before === undefined || /^(?:=>|[;{})]|else|do)$/.test(before.text))
  push(reader, 'mark', start)
  reader.open.push({ text, ended: !isCondition && !isBlock })
  reader.ended = false
}

function opensCondition(tokens) {
  const last = tokens.at(-1)?.text === 'await' && tokens.at(-2)?.text === 'for' ? -2 : -1
  return beforeCondition.has(tokens.at(last)?.text) && !isMember(tokens.at(last - 1)?.text)
}

const closing = { '(': ')', '[': ']', '{': '}', '${': '}' }

function close(reader, text, start) {
  const opened = reader.open.pop()
  if (closing[opened?.text] !== text) {
    reader.trouble = { at: start, why: `${text} closes nothing` }
  } else if (opened.text === '${') {
    readTemplate(reader, start)
  } else {
    push(reader, 'mark', start)
    reader.ended = opened.ended
  }
}
