// What the files of a repository use of each other's modules.
import { posix } from 'node:path'
import { listFiles, readText } from './checkout.mjs'
import { readExports } from './exports.mjs'
import { readImports } from './imports.mjs'
import { readTokens } from './tokens.mjs'

const moduleExtensions = ['.js', '.mjs', '.cjs', '.jsx', '.ts', '.mts', '.cts', '.tsx']
/** Files that may name an export in their own way: pages, components, documentation. */
const otherExtensions = ['.md', '.mdx', '.html', '.htm', '.vue', '.svelte', '.astro', '.hbs', '.ejs', '.njk', '.snap']

/**
 * Reads every module of the repository: a map from path to `{ path, source, tokens, comments, imports, exports, trouble }`, and `texts`, the text of every file
 * in which only words can be looked for.
 */
export function readProject() {
  const modules = new Map()
  for (const path of listFiles('.', moduleExtensions)) {
    const source = readText(path)
    if (source === undefined) continue
    const read = readTokens(source, { markup: !/\.[mc]?ts$/.test(path) })
    modules.set(path, { path, source, ...read, imports: readImports(read.tokens), exports: readExports(read.tokens) })
  }
  const unread = [...modules.values()].filter(({ trouble }) => trouble).map(({ source }) => source)
  return { modules, texts: [...unread, ...listFiles('.', otherExtensions).map((path) => readText(path) ?? '')] }
}

/** Stands for every name of a module. */
export const everything = '*'

/**
 * What is used: `used(path)` is the set of names that other files use of a module (with `everything` in it where that is not known),
 * `imported` the paths that another module imports by a declaration, `entries` the paths that package.json or a computed name may reach.
 */
export function findUses({ modules }) {
  const names = new Map()
  const imported = new Set()
  const use = (path, name) => names.set(path, (names.get(path) ?? new Set()).add(name))
  for (const module of modules.values()) {
    for (const { from, name } of declaredUses(module)) {
      const target = resolveModule(from, module.path, modules)
      if (target) imported.add(target)
      for (const path of target ? [target] : meantBy(from, modules)) use(path, name)
    }
    for (const reference of references(module)) {
      for (const path of reached(reference, module.path, modules)) use(path, everything)
    }
  }
  return { used: (path) => names.get(path) ?? new Set(), imported, entries: findEntries(modules) }
}

function declaredUses({ imports, exports }) {
  const imported = imports
    .filter(({ unknown }) => !unknown)
    .flatMap(({ from, defaultName, namespace, names = [] }) => [
      ...(defaultName ? [{ from, name: 'default' }] : []),
      ...(namespace ? [{ from, name: everything }] : []),
      ...names.map((name) => ({ from, name: name.imported })),
    ])
  const passedOn = exports.flatMap((one) => {
    if (one.kind === 'star') return [{ from: one.from, name: everything }]
    return one.kind === 'list' && one.from !== undefined
      ? one.names.map((name) => ({ from: one.from, name: name.imported }))
      : []
  })
  return [...imported, ...passedOn]
}

/** What may name a module outside declarations: `import()`, `require()`, `new URL()`, a mock, a glob, a type in a comment. */
function references({ tokens, comments, imports, exports }) {
  const declared = [...imports, ...exports].filter(({ from, end }) => from !== undefined && end !== undefined)
  const free = tokens
    .map((token, index) => ({ token, loads: isLoaded(tokens, index) }))
    .filter(({ token: { kind, start } }) => {
      return (kind === 'string' || kind === 'template') && !declared.some((one) => start > one.start && start < one.end)
    })
  const inComments = comments.flatMap(({ text }) =>
    [...text.matchAll(/import\(\s*['"]([^'"]+)['"]\s*\)/g)].map((match) => match[1]),
  )
  return [
    ...inComments,
    ...free.flatMap(({ token: { text }, loads }) => {
      if (text.endsWith('${')) return loads && text.startsWith('`') ? [`${text.slice(1, -2)}*`] : []
      const inner = text.slice(1, -1)
      // A pattern with a star is everywhere; one that loads modules begins with a dot, or stands in a call that loads.
      return inner.includes('*') && !loads && !inner.startsWith('.') ? [] : [inner]
    }),
  ]
}

function isLoaded(tokens, index) {
  const call = tokens[index - 1]?.text === '[' ? index - 2 : index - 1
  return (
    tokens[call]?.text === '(' &&
    /^(?:import|require|URL|glob|globEager|context|resolve)$/.test(tokens[call - 1]?.text ?? '')
  )
}

/** The modules that a name leads to, or a pattern: everything below the folder in which its first star stands. */
function reached(reference, from, modules) {
  if (reference === '' || reference.length > 300) return []
  const beginning = reference.split('*')[0]
  if (beginning === reference) {
    // A path from the top, as configurations write it; a bare word is only a word.
    const fromTop = !reference.startsWith('.') && /\/|\.[mc]?[jt]sx?$/.test(reference)
    const target =
      resolveModule(reference, from, modules) ?? (fromTop ? resolveModule(`./${reference}`, 'top', modules) : undefined)
    return target ? [target] : []
  }
  if (!/^\.{0,2}\//.test(beginning)) return []
  const folder = posix.join(
    beginning.startsWith('/') ? '.' : posix.dirname(from),
    beginning.slice(0, beginning.lastIndexOf('/') + 1),
  )
  return [...modules.keys()].filter((path) => folder === './' || path.startsWith(folder))
}

const writtenAs = { '.js': ['.ts', '.tsx', '.jsx'], '.mjs': ['.mts'], '.cjs': ['.cts'], '.jsx': ['.tsx'] }

/** The module that a relative name leads to, as Node, TypeScript and bundlers look for it. */
function resolveModule(name, from, modules) {
  if (!/^\.{1,2}(?:\/|$)/.test(name)) return undefined
  const path = posix.join(posix.dirname(from), name.replace(/[?#].*$/, ''))
  const extension = posix.extname(path)
  const stem = path.slice(0, path.length - extension.length)
  const tries = [
    path,
    ...(writtenAs[extension] ?? []).map((written) => stem + written),
    ...moduleExtensions.map((written) => path + written),
    ...moduleExtensions.map((written) => posix.join(path, `index${written}`)),
  ]
  return tries.find((one) => modules.has(one))
}

/** The modules that a name such as `@/lib/text` or `#text.js` may mean: those that are called so. */
function meantBy(name, modules) {
  const last = stemOf(name.replace(/(?<=.)[?#].*$/, '')).replace(/^[@#~$]/, '')
  return [...modules.keys()].filter(
    (path) => stemOf(path) === last || (stemOf(path) === 'index' && posix.basename(posix.dirname(path)) === last),
  )
}

export function stemOf(path) {
  return posix.basename(path).replace(/(?:\.d)?\.[mc]?[jt]sx?$/, '')
}

/** Modules that somebody outside the repository may import, or that a package starts with: whatever a package.json names. */
function findEntries(modules) {
  const packages = listFiles('.', ['.json']).filter((file) => posix.basename(file) === 'package.json')
  return new Set(
    packages.flatMap((path) => {
      const manifest = parse(readText(path) ?? '')
      const words = stringsIn(manifest)
        .flatMap((text) => text.split(/\s+/))
        .filter((word) => !word.includes('*') && word.length < 300)
      return [...words, ...stringsIn(manifest?.exports)].flatMap((word) => entriesOf(word, path, modules))
    }),
  )
}

function entriesOf(word, path, modules) {
  const targets = reached(word.startsWith('.') ? word : `./${word}`, path, modules)
  if (targets.length > 0 || !/\.[mc]?[jt]s$/.test(word)) return targets
  // A path into a build folder that is not in the repository is made from a module with that name.
  return [...modules.keys()].filter((module) => stemOf(module) === stemOf(word))
}

function parse(json) {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function stringsIn(value) {
  if (typeof value === 'string') return [value]
  return value && typeof value === 'object' ? Object.values(value).flatMap(stringsIn) : []
}
