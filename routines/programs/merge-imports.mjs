// Merges import declarations of the same module in JavaScript and TypeScript files. Nothing is evaluated earlier, later or less often.
import { listFiles, main, nameFiles, rewriteFiles } from './checkout.mjs'
import { edited, wholeLines } from './edits.mjs'
import { readImports } from './imports.mjs'
import { readTokens } from './tokens.mjs'

const generated = ['.git', 'node_modules', 'dist', 'vendor']
const extensions = ['.js', '.mjs', '.jsx', '.ts', '.mts', '.tsx']
/** What stands before a name that is certainly a value, and no type. */
const beforeValue = new Set(['=', 'return', 'await', 'new', '=>', '(', '!', '&&', '||', '??'])

main(({ scope = '.' }) => {
  const changed = rewriteFiles(listFiles(scope, extensions, generated), withMergedImports)
  return changed.length > 0 ? `Merged duplicate imports in ${nameFiles(changed)}` : 'No module is imported twice'
})

function withMergedImports(source, path) {
  const file = readModule(source, path)
  const edits = mergesOf(file).flatMap((merge) => editsOf(merge, file))
  if (edits.length === 0) return source
  const result = edited(source, edits)
  // What was merged must import the same under the same names; anything else is a mistake of this program, and is not written.
  if (bindingsOf(readModule(result, path)) === bindingsOf(file)) return result
  console.error(`${path}: the merged imports would not be the same, left alone`)
  return source
}

function readModule(source, path) {
  const typed = /\.[mc]?tsx?$/.test(path)
  const { tokens, comments } = readTokens(source, { markup: !/\.[mc]?ts$/.test(path) })
  return { source, tokens, comments, typed, imports: readImports(tokens) }
}

function bindingsOf({ imports }) {
  const bindings = imports.flatMap(({ from, attributes, defaultName, namespace, names = [], typeOnly }) => [
    ...(defaultName ? [[from, attributes, 'default', defaultName, typeOnly]] : []),
    ...(namespace ? [[from, attributes, '*', namespace, typeOnly]] : []),
    ...names.map((name) => [from, attributes, name.imported, name.local, typeOnly || name.typeOnly]),
  ])
  const modules = imports.filter(({ typeOnly }) => !typeOnly).map(({ from }) => from)
  return JSON.stringify([bindings.map((binding) => JSON.stringify(binding)).sort(), [...new Set(modules)]])
}

/** Which declarations become one: `{ first, others }`, in the place of the first. */
function mergesOf(file) {
  const merges = new Map()
  for (const declaration of file.imports.filter((one) => mayMerge(one, file))) {
    const { from, attributes, typeOnly } = declaration
    const key = JSON.stringify([from, attributes, typeOnly])
    const merge = merges.get(key)
    if (!merge) merges.set(key, { first: declaration, others: [] })
    else if (mayJoin(merge.first, declaration, file)) merge.others.push(declaration)
  }
  return [...merges.values()].filter(({ others }) => others.length > 0)
}

/**
 * A namespace cannot stand beside braces, `import type` has no room for a default beside them, and a comment in a declaration belongs to a place
 * that would be gone.
 */
function mayMerge(declaration, { comments }) {
  if (declaration.unknown || declaration.namespace || declaration.from.includes('\\')) return false
  if (declaration.typeOnly && declaration.defaultName) return false
  if (declaration.names?.length === 0 && !declaration.defaultName) return false
  return !comments.some(({ start }) => start > declaration.start && start < declaration.end)
}

function mayJoin(first, other, file) {
  if (hasOwnComment(other, file)) return false
  if (!file.typed || first.typeOnly) return true
  // TypeScript drops an import of which only types are used: then the module is evaluated where the next one stands, or not at all.
  if (isBare(first) !== isBare(other)) return false
  const between = file.imports.filter(
    ({ start, from, typeOnly }) => start > first.start && start < other.start && from !== first.from && !typeOnly,
  )
  return isBare(first) || between.length === 0 || isUsedAsValue(first, file)
}

function isBare({ defaultName, names }) {
  return !defaultName && !names
}

/** A comment right above or behind a declaration says something about that one. */
function hasOwnComment(declaration, { source, comments }) {
  return comments.some(({ start, end }) => {
    const above = end <= declaration.start && /^[^\S\n]*\n?[^\S\n]*$/.test(source.slice(end, declaration.start))
    const behind = start >= declaration.end && !source.slice(declaration.end, start).includes('\n')
    return above || behind
  })
}

/** Is one of its names surely called or constructed? Only that proves that a TypeScript compiler keeps the import. */
function isUsedAsValue({ defaultName, names = [], end }, { tokens }) {
  const locals = new Set([defaultName, ...names.filter(({ typeOnly }) => !typeOnly).map(({ local }) => local)])
  return tokens.some((token, index) => {
    if (token.kind !== 'word' || token.start < end || !locals.has(token.text)) return false
    const before = tokens[index - 1]?.text
    const startsStatement = token.depth === 0 && token.newLine && (before === ';' || before === '}')
    return tokens[index + 1]?.text === '(' && (beforeValue.has(before) || startsStatement)
  })
}

function editsOf({ first, others }, file) {
  const merged = { start: first.start, end: first.end, text: textOf([first, ...others], file) }
  return [merged, ...others.map((other) => ({ ...wholeLines(other, file.source), text: '' }))]
}

/** The declarations as one, in the style of the first that has braces. */
function textOf(declarations, file) {
  const [first] = declarations
  const { source } = file
  const defaults = declarations.flatMap(({ defaultName }) => (defaultName ? [defaultName] : []))
  const names = [
    ...defaults.slice(1).map((local) => `default as ${local}`),
    ...declarations.flatMap(({ names = [] }) => names.map(({ text }) => text)),
  ]
  const module = first.tokens.find(
    ({ kind, text }) => kind === 'string' && text.slice(1, -1) === first.from && text[0] === first.quote,
  )
  const tail = source.slice(module.start, first.end)
  if (defaults.length === 0 && names.length === 0) return `import ${tail}`
  const head = `import ${first.typeOnly ? 'type ' : ''}`
  const style = styleOf(declarations, file)
  const sorted = [...new Set(names)].sort(byName)
  const line = `${head}${[...defaults.slice(0, 1), ...inBraces(sorted, style.space)].join(', ')} from ${tail}`
  if (sorted.length === 0 || (!style.lines && line.length <= style.width)) return line
  const lines = sorted.map((name) => `${style.indent}${name}`).join(`,${style.lineEnd}`) + style.comma + style.lineEnd
  return `${head}${[...defaults.slice(0, 1), `{${style.lineEnd}${lines}}`].join(', ')} from ${tail}`
}

function inBraces(names, space) {
  return names.length > 0 ? [`{${space}${names.join(', ')}${space}}`] : []
}

function styleOf(declarations, { source, imports }) {
  const lineEnd = source.includes('\r\n') ? '\r\n' : '\n'
  const texts = declarations.filter(({ names }) => names).map(({ start, end }) => source.slice(start, end))
  const several = texts.find((text) => text.includes('\n'))
  const lengths = imports
    .filter(({ end }) => end)
    .map(({ start, end }) => source.slice(start, end))
    .filter((text) => !text.includes('\n'))
  return {
    lineEnd,
    lines: several !== undefined,
    space: texts.length === 0 || texts.some((text) => /\{\s/.test(text)) ? ' ' : '',
    comma: several === undefined || /,\s*\}/.test(several) ? ',' : '',
    indent: /\{[^\S\n]*\n([^\S\n]+)/.exec(several ?? '')?.[1] ?? '  ',
    // No line longer than the longest that a person (or their formatter) left on one line.
    width: Math.max(80, ...lengths.map((text) => text.length)),
  }
}

function byName(a, b) {
  const key = (text) => text.replace(/^type /, '').toLowerCase()
  if (key(a) !== key(b)) return key(a) < key(b) ? -1 : 1
  return a < b ? -1 : 1
}
