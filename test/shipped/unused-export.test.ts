import { describe, expect, test } from 'vitest'
import { openTree } from './run-program.ts'

const nothing = 'Every export is used'
/** Uses `kept` of `a.js`, so that `a.js` is a module whose uses are in sight. */
const user = "import { kept } from './a.js'\nkept()\n"
const kept = 'export function kept() {}\n'

async function after(files: Record<string, string>, inputs: Record<string, unknown> = {}) {
  await using tree = await openTree(files)
  const { code, headline, stderr } = await tree.run('unused-export', inputs)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const all = await tree.readAll()
  const changed = Object.fromEntries(Object.entries(all).filter(([path, text]) => text !== files[path]))
  expect(Object.keys(changed)).toHaveLength(headline === nothing ? 0 : 1)
  return { headline, changed }
}

/** What becomes of `a.js` (or `a.ts`) beside a module that uses `kept` of it. */
async function takenFrom(text: string, extension = 'js'): Promise<{ headline: string; text: string }> {
  const path = `a.${extension}`
  const { headline, changed } = await after({ [path]: kept + text, [`b.${extension}`]: user })
  return { headline, text: (changed[path] ?? kept + text).slice(kept.length) }
}

type Case = [what: string, before: string, after: string, extension?: string]

describe('a declaration that nothing needs is removed', () => {
  const cases: Case[] = [
    [
      'a function, with its comment and a blank line',
      '\n/** Old. */\nexport function old() {\n  return 1\n}\n\nkept()\n',
      '\nkept()\n',
    ],
    ['the last thing in the file', '\nexport function old() {}\n', ''],
    ['one that calls itself', 'export function old(n) {\n  return n ? old(n - 1) : 0\n}\n', ''],
    ['async, generator', 'export async function* old() {}\n', ''],
    [
      'a class without a static part',
      'export class Old extends Array {\n  #x = 1\n  get [Symbol.iterator]() {}\n  size() {}\n}\n',
      '',
    ],
    ['an arrow function', 'export const old = async (a, { b }) => {\n  return a / b / 2\n}\nkept()\n', 'kept()\n'],
    [
      'an arrow without semicolons around',
      'export const old = (a) =>\n  a\n    .map((b) => b)\n    .join()\n\nkept()\n',
      '\nkept()\n',
    ],
    ['a plain value', "export const old = { a: [1, -2, /x}/g, 'y}', `z`], b: new Set(['q']) } ;\nkept()\n", 'kept()\n'],
    ['a value that ends without a semicolon', 'export const old = 1\n++kept.count\n', '++kept.count\n'],
    [
      'a member of the same name needs nothing',
      'export const size = 1\nkept.size = kept?.size\n',
      'kept.size = kept?.size\n',
    ],
    [
      'a name in strings and comments needs nothing',
      "export const old = 1\n// old\nconst s = 'old'\n",
      "// old\nconst s = 'old'\n",
    ],
    ['the license above stays', '// Copyright somebody\nexport const old = 1\n', '// Copyright somebody\n'],
    ['comments above, line by line', '// about\n// old\nexport const old = 1\n', ''],
    ['a comment of its own stays', '// about all\n\nexport const old = 1\n', '// about all\n'],
    [
      'from a list',
      'function old() {}\nconst x = 1\nkept(x)\nexport { old, x as y }\n',
      'const x = 1\nkept(x)\nexport { x as y }\n',
    ],
    ['line ends of Windows', 'export const old = 1\r\nkept()\r\n', 'kept()\r\n'],
    ['an interface', 'export interface Old {\n  a: { b: string }\n}\nkept()\n', 'kept()\n', 'ts'],
    ['a type over several lines', "export type Old =\n  | 'a'\n  | { b: 1 }\nkept()\n", 'kept()\n', 'ts'],
    [
      'a function whose type has braces',
      'export function old<T = {}>(a: T): { b: T } | (() => { c: 1 }) {\n  return { b: a }\n}\nkept()\n',
      'kept()\n',
      'ts',
    ],
  ]
  test.each(cases)('%s', async (_, before, expected, extension) => {
    expect((await takenFrom(before, extension)).text).toBe(expected)
  })

  test('the headline names it', async () => {
    expect((await takenFrom('export function old() {}\n')).headline).toBe('Removed the unused function old from a.js')
    expect((await takenFrom('export type Old = 1\n', 'ts')).headline).toBe('Removed the unused type Old from a.ts')
  })

  test('what only it had imported is not imported any more, and modules are still evaluated', async () => {
    const before = `import { one, two } from './c.js'
import {
  three, // the third
  four,
} from './c.js'
import { five } from './c.js'
export function kept() {
  return two() + four()
}
export function old() {
  return one() + three() + five()
}
`
    const values = 'one two three four five'.split(' ').map((name) => `export const ${name} = () => 1\n`)
    const { changed } = await after({ 'a.js': before, 'b.js': user, 'c.js': values.join('') })
    expect(changed['a.js']).toBe(`import { two } from './c.js'
import {
  four,
} from './c.js'
import './c.js'
export function kept() {
  return two() + four()
}
`)
  })
})

describe('an export that its own module needs loses the word only', () => {
  const cases: Case[] = [
    ['a function', 'export function inner() {}\ninner()\n', 'function inner() {}\ninner()\n'],
    ['async, on its own line', 'export async  function inner() {}\ninner()\n', 'async  function inner() {}\ninner()\n'],
    ['a value with effects', 'export let inner = kept()\ninner++\n', 'let inner = kept()\ninner++\n'],
    ['in a shorthand', 'export const inner = 1\nkept({ inner })\n', 'const inner = 1\nkept({ inner })\n'],
    ['in a template', 'export const inner = 1\nkept(`${inner}`)\n', 'const inner = 1\nkept(`${inner}`)\n'],
    ['from a list under another name', 'const x = 1\nkept(x)\nexport { x as y }\n', 'const x = 1\nkept(x)\n'],
    [
      'a typed value',
      'export const inner: Map<string, number> = kept()\ninner.get(``)\n',
      'export const inner: Map<string, number> = kept()\ninner.get(``)\n',
      'ts',
    ],
    ['an enum', 'export const enum Inner { A }\nkept(Inner.A)\n', 'const enum Inner { A }\nkept(Inner.A)\n', 'ts'],
  ]
  test.each(cases)('%s', async (_, before, expected, extension) => {
    expect((await takenFrom(before, extension)).text).toBe(expected)
  })

  test('the headline says so', async () => {
    expect((await takenFrom('export function inner() {}\ninner()\n')).headline).toBe(
      'Stopped exporting inner from a.js: nothing imports it',
    )
  })
})

describe('left alone in its own module', () => {
  const leftAlone: [what: string, text: string, extension?: string][] = [
    ['a value with effects that nothing else needs', 'export const old = kept()\n'],
    ['a function that is called at once', 'export const old = (function () {\n  kept()\n})()\n'],
    ['a value that reads a member', 'export const old = kept.count\n'],
    ['a class with a static part', 'export class Old {\n  static x = kept()\n}\n'],
    ['a class with a computed name', 'export class Old {\n  [kept()]() {}\n}\n'],
    ['a class with a decorator', '@kept export class Old {}\n'],
    ['several in one statement', 'export const a = 1, b = 2\n'],
    ['taken apart', 'export const { a, b } = kept()\n'],
    ['the default', 'export default function old() {}\n'],
    ['a default in a list', 'function old() {}\nexport { old as default }\n'],
    ['beside a form that is not known', 'export const old = 1\nexport = old\n', 'ts'],
    ['where eval could need it', "export const old = 1\neval('old')\n"],
    ['in a script that is not closed', 'export const old = 1\nconst s = `\n'],
    ['an overloaded function', 'export function old(a: 1): void\nexport function old(a: unknown): void {}\n', 'ts'],
    [
      'a type that is part of what others see',
      'export type Old = 1\nexport function kept2(a: Old): void {}\nkept2(1)\n',
      'ts',
    ],
    ['in a string', "const s = '\\\nexport const old = 1\\\n'\n"],
    ['in a template', 'const s = `\nexport const old = 1\n`\n'],
    ['in a comment', '/*\nexport const old = 1\n*/\n'],
  ]
  test.each(leftAlone)('%s', async (what, text, extension) => {
    const left = await takenFrom(text, extension)
    // The other export of this one is really unused.
    const expected = what.startsWith('a type that') ? text.replace('export function', 'function') : text
    expect(left.text).toBe(expected)
  })
})

describe('used, in whatever way', () => {
  const a = `${kept}export const old = 1\n`
  const uses: [what: string, files: Record<string, string>][] = [
    ['by its name', { 'c.js': "import { old as o } from './a.js'\n" }],
    ['beside a default', { 'c.js': "import d, { old } from './a'\n" }],
    ['as a namespace', { 'c.js': "import * as a from './a.js'\na[b]\n" }],
    ['passed on', { 'c.js': "export { old as other } from './a.js'\n" }],
    ['passed on with all others', { 'c.js': "export * from './a.js'\n" }],
    ['passed on as a namespace', { 'c.js': "export * as a from './a.js'\n" }],
    ['from another folder', { 'lib/deep/c.ts': "import { old } from '../../a.js'\n" }],
    ['in a test', { 'test/c.test.js': "import { old } from '../a.js'\n" }],
    ['by import()', { 'c.js': "const { old } = await import('./a.js')\n" }],
    ['by require()', { 'c.cjs': "const { old } = require('./a')\n" }],
    ['by a worker', { 'c.js': "new Worker(new URL('./a.js', import.meta.url))\n" }],
    ['by a mock', { 'c.test.js': "vi.mock('./a.js', () => ({}))\n" }],
    ['by a computed name', { 'lib/c.js': 'await import(`../${name}.js`)\n' }],
    ['by a glob', { 'lib/c.js': "import.meta.glob(['../*.js'])\n" }],
    ['by a path from the top', { 'c.config.js': "export default { input: 'a.js' }\n" }],
    ['by a type in a comment', { 'c.js': "/** @type {import('./a.js').old} */\n" }],
    ['by an alias', { 'c.ts': "import { old } from '@/a'\n" }],
    ['by an alias, as a namespace', { 'c.ts': "import * as all from '#a.js'\n" }],
    ['by the package itself', { 'package.json': '{ "exports": { ".": "./b.js", "./a": "./a.js" } }' }],
    ['by a pattern of the package', { 'package.json': '{ "exports": { "./*": "./*.js" } }' }],
    ['by a script of the package', { 'package.json': '{ "scripts": { "x": "node ./a.js --all" } }' }],
    ['by a built file of the package', { 'package.json': '{ "main": "dist/a.cjs" }' }],
    ['by a page', { 'page.vue': "<script>import { old } from './a'</script>" }],
    ['by the documentation', { 'README.md': 'Call `old` for it.' }],
    [
      'by a script that cannot be read to its end',
      { 'c.jsx': "export const C = () => <p>don't</p>\nimport { old } from './a.js'\n" },
    ],
    ['by types written by hand', { 'a.d.ts': 'export declare const old: 1\nexport declare function kept(): void\n' }],
  ]
  test.each(uses)('%s', async (_, files) => {
    expect(await after({ 'a.js': a, 'b.js': user, ...files })).toEqual({ headline: nothing, changed: {} })
  })

  test('not by a word that only looks like it', async () => {
    const files = {
      'a.js': a,
      'b.js': user,
      'README.md': 'An older one, $old and olds.',
      'c.js': "import { old } from './other.js'\nconst old2 = 1\n",
      'other.js': 'export const old = 1\n',
    }
    expect((await after(files)).headline).toBe('Removed the unused const old from a.js')
  })

  test('not a module that nothing imports: a page, a script, a configuration', async () => {
    expect((await after({ 'a.js': a })).headline).toBe(nothing)
    expect((await after({ 'index.js': a, 'b.js': "import { kept } from './index.js'\n" })).headline).toBe(nothing)
    expect((await after({ 'dist/a.js': a, 'b.js': "import { kept } from './dist/a.js'\n" })).headline).toBe(nothing)
  })
})

test('one at a time, code before words, until there is none', async () => {
  await using tree = await openTree({
    'a.js': `${kept}export function inner() {}\ninner()\nexport const old = 1\n`,
    'b.js': user,
    'lib/c.js': 'export const first = 1\nexport const second = 2\n',
    'lib/d.js': "import { first } from './c.js'\n",
  })
  const headlines: string[] = []
  for (let run = 0; run < 4; run++) headlines.push((await tree.run('unused-export')).headline)
  expect(headlines).toEqual([
    'Removed the unused const old from a.js',
    'Removed the unused const second from lib/c.js',
    'Stopped exporting inner from a.js: nothing imports it',
    nothing,
  ])
})

test('the scope says from where an export may go; the whole repository is read for uses', async () => {
  const files = {
    'a.js': `${kept}export const old = 1\n`,
    'b.js': user,
    'lib/c.js': "import { old } from '../a.js'\nexport const one = 1\nexport const two = 1\n",
    'd.js': "import { one } from './lib/c.js'\n",
  }
  expect((await after(files, { scope: 'a.js' })).headline).toBe(nothing)
  expect((await after(files, { scope: 'lib' })).headline).toBe('Removed the unused const two from lib/c.js')
})
