// Finds one export that nothing in the repository uses, and takes it out: the declaration where nothing else needs it, else the word `export`.
import { writeFileSync } from 'node:fs'
import { listFiles, main } from './checkout.mjs'
import { edited, wholeLines, withoutNames } from './edits.mjs'
import { isHarmless, readExports } from './exports.mjs'
import { everything, findUses, readProject, stemOf } from './uses.mjs'

const generated = /(?:^|\/)(?:dist|vendor)\//
/** Modules that others reach by convention rather than by an import. */
const conventional = new Set(['index', 'main', 'mod'])

main(({ scope = '.' }) => {
  const project = readProject()
  const uses = findUses(project)
  const inScope = new Set(listFiles(scope, ['.js', '.mjs', '.jsx', '.ts', '.mts', '.tsx']))
  const modules = [...project.modules.values()].filter(
    (module) => inScope.has(module.path) && isInternal(module, project, uses),
  )
  const found = modules.flatMap((module) => unusedOf(module, project, uses).map((unused) => ({ module, ...unused })))
  // Code that can go comes before a word that can go.
  const chosen = found.find(({ removable }) => removable) ?? found[0]
  if (!chosen) return 'Every export is used'
  writeFileSync(chosen.module.path, chosen.removable ? withoutDeclaration(chosen) : withoutExport(chosen))
  return headline(chosen)
})

/** Is every use of this module in sight? Only then an export that is not seen to be used is unused. */
function isInternal({ path, trouble, exports, tokens }, { modules }, { used, imported, entries }) {
  if (trouble || generated.test(path) || isDescribed(path, modules)) return false
  if (conventional.has(stemOf(path)) || entries.has(path) || !imported.has(path) || used(path).has(everything))
    return false
  return !exports.some(({ kind }) => kind === 'unknown') && !tokens.some(({ text }) => text === 'eval')
}

/** Types written by hand, in a file of their own, would no longer fit. */
function isDescribed(path, modules) {
  const described = /\.[mc]?js$/.test(path) && modules.has(path.replace(/\.([mc]?)js$/, '.d.$1ts'))
  return described || /\.d\.[mc]?ts$/.test(path)
}

/** The unused exports of a module that can be taken out. */
function unusedOf(module, { texts }, { used }) {
  const all = module.exports.flatMap((one) => {
    if (one.kind === 'declaration') return [{ export: one, name: one.name, local: one.name }]
    return one.kind === 'list' && one.from === undefined
      ? one.names.map((name) => ({ export: one, listed: name, name: name.local, local: name.imported }))
      : []
  })
  return all
    .filter(
      ({ name, local }) => !used(module.path).has(name) && all.filter((other) => other.local === local).length === 1,
    )
    .filter(({ name }) => name !== 'default' && !texts.some((text) => hasWord(text, name)))
    .map((unused) => ({
      ...unused,
      declaration: unused.listed ? localDeclaration(module, unused.local) : unused.export,
    }))
    .map((unused) => ({ ...unused, removable: isRemovable(unused, module) }))
    .filter((unused) => unused.removable || mayStay(unused, module))
}

function hasWord(text, word) {
  const start = text.indexOf(word)
  return (
    start >= 0 &&
    new RegExp(`(?<![\\p{ID_Continue}$])${word.replaceAll('$', '\\$')}(?![\\p{ID_Continue}$])`, 'u').test(text)
  )
}

/** The declaration that a list exports: read as if the word `export` stood before it. */
function localDeclaration({ tokens }, local) {
  const starts = tokens.flatMap((token, index) =>
    token.depth === 0 && token.newLine && token.kind === 'word' && token.text !== 'export' && token.text !== 'import'
      ? [index]
      : [],
  )
  const found = starts.flatMap((index) =>
    readExports([{ kind: 'word', text: 'export', depth: 0, start: tokens[index].start }, ...tokens.slice(index)]).slice(
      0,
      1,
    ),
  )
  const named = found.filter(({ kind, name }) => kind === 'declaration' && name === local)
  return named.length === 1 ? named[0] : undefined
}

/** Other places in the module that may mean the name. A member after a dot never does. */
function mentions({ name, listed, export: exported, declaration, local }, { tokens }) {
  const inDeclaration = ({ start }) =>
    declaration?.end ? start >= declaration.start && start < declaration.end : false
  const inList = ({ start }) => listed !== undefined && start >= exported.start && start < exported.end
  return tokens.filter((token, index) => {
    const before = tokens[index - 1]?.text
    return (
      (token.text === name || token.text === local) &&
      token.kind === 'word' &&
      before !== '.' &&
      before !== '?.' &&
      !inDeclaration(token) &&
      !inList(token)
    )
  })
}

function isRemovable(unused, module) {
  const { declaration } = unused
  return declaration?.end !== undefined && isHarmless(declaration) && mentions(unused, module).length === 0
}

/** May the declaration stay without its export? Not a type (it may be part of what others see), nor what would then stand there for nothing. */
function mayStay(unused, module) {
  const { declaration } = unused
  if (!declaration || declaration.what === 'interface' || declaration.what === 'type') return false
  const inName = declaration.end === undefined ? 1 : 0
  return mentions(unused, module).length > inName
}

function withoutExport({ module: { source }, export: exported, listed, declaration }) {
  if (!listed) return edited(source, [{ start: exported.start, end: declaration.inner, text: '' }])
  return edited(source, withoutListed(exported, listed, source))
}

function withoutListed(list, listed, source) {
  if (list.names.length === 1) return [{ ...wholeLines(list, source), text: '' }]
  return withoutNames(list.names, [listed], source)
}

function withoutDeclaration(unused) {
  const { module, export: exported, listed, declaration } = unused
  const part = { start: commentsAbove(declaration.start, module), end: declaration.end }
  const inList = listed ? withoutListed(exported, listed, module.source) : []
  return edited(module.source, [{ ...wholeLines(part, module.source), text: '' }, ...inList, ...withoutImports(unused)])
}

/** Where the comments begin that stand right above a declaration and are about it. */
function commentsAbove(start, { source, comments }) {
  const above = comments.findLast(({ end }) => end <= start && /^[^\S\n]*\n?[^\S\n]*$/.test(source.slice(end, start)))
  const isOwn =
    above &&
    /(?:^|\n)[^\S\n]*$/.test(source.slice(0, above.start)) &&
    !/@(?:license|file|module)|copyright|eslint-|#region/i.test(above.text)
  return isOwn ? commentsAbove(above.start, { source, comments }) : start
}

/** Names that only the declaration used are not imported any more; their modules are still evaluated. */
function withoutImports({ module: { source, tokens, imports }, declaration }) {
  const needed = (local, part) =>
    tokens.some(
      ({ kind, text, start }) =>
        kind === 'word' &&
        text === local &&
        !(start >= part.start && start < part.end) &&
        !(start >= declaration.start && start < declaration.end),
    )
  const was = (local) => declaration.tokens.some(({ kind, text }) => kind === 'word' && text === local)
  return imports.flatMap((one) => {
    const gone = (one.names ?? []).filter(({ local }) => was(local) && !needed(local, one))
    if (gone.length < (one.names ?? []).length) return withoutNames(one.names, gone, source)
    return gone.length > 0 && !one.defaultName ? [withoutClause(one, source)] : []
  })
}

function withoutClause(one, source) {
  if (one.typeOnly) return { ...wholeLines(one, source), text: '' }
  const module = one.tokens.find(({ kind, start }) => kind === 'string' && start > one.names.at(-1).end)
  return { start: one.start, end: module.start, text: 'import ' }
}

function headline({ module: { path }, removable, declaration, name }) {
  const sentences = removable
    ? [`Removed the unused ${declaration.what} ${name} from ${path}`, `Removed the unused ${declaration.what} ${name}`]
    : [`Stopped exporting ${name} from ${path}: nothing imports it`, `Stopped exporting ${name}`]
  return sentences.find((sentence) => sentence.length <= 100) ?? 'Removed an unused export'
}
