import { describe, expect, test } from 'vitest'
import { openTree } from './run-program.ts'

const nothing = 'No module is imported twice'

async function merged(path: string, text: string): Promise<string> {
  await using tree = await openTree({ [path]: text })
  const { code, stderr, headline } = await tree.run('merge-imports')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const after = await tree.read(path)
  expect(headline).toBe(after === text ? nothing : `Merged duplicate imports in ${path}`)
  // Whatever was done, doing it again changes nothing.
  expect(await tree.run('merge-imports')).toMatchObject({ code: 0, headline: nothing })
  expect(await tree.read(path)).toBe(after)
  return after
}

type Case = [what: string, before: string, after: string]

describe('JavaScript', () => {
  const cases: Case[] = [
    ['names', "import { b } from 'x'\nimport { a } from 'x'\n", "import { a, b } from 'x'\n"],
    [
      'three times, others between',
      "import { c } from 'x'\nimport y from 'y'\nimport { a } from 'x'\nimport { b } from 'x'\ny()\n",
      "import { a, b, c } from 'x'\nimport y from 'y'\ny()\n",
    ],
    ['a default and names', "import { a } from 'x'\nimport d from 'x'\n", "import d, { a } from 'x'\n"],
    [
      'a default with names, and names',
      "import d, { b } from 'x'\nimport { a as z } from 'x'\n",
      "import d, { a as z, b } from 'x'\n",
    ],
    ['two defaults', "import d from 'x'\nimport e from 'x'\n", "import d, { default as e } from 'x'\n"],
    [
      'the same name twice under two names',
      "import { a } from 'x'\nimport { a as b } from 'x'\n",
      "import { a, a as b } from 'x'\n",
    ],
    [
      'names that are strings',
      "import { 'a-b' as c } from 'x'\nimport { a } from 'x'\n",
      "import { 'a-b' as c, a } from 'x'\n",
    ],
    [
      'small and capital letters sort together',
      "import { b, A } from 'x'\nimport { a, B } from 'x'\n",
      "import { A, a, B, b } from 'x'\n",
    ],
    ['a bare import beside a named one', "import 'x'\nimport { a } from 'x'\n", "import { a } from 'x'\n"],
    ['a bare import after a named one', "import { a } from 'x'\nimport 'x'\n", "import { a } from 'x'\n"],
    ['a bare import twice', "import 'x'\nimport 'x'\n", "import 'x'\n"],
    [
      'style: double quotes, semicolons, no spaces',
      'import {b} from "x";\nimport {a} from "x";\n',
      'import {a, b} from "x";\n',
    ],
    [
      'style: other quotes in the second',
      'import { b } from \'x\';\nimport { a } from "x"\n',
      "import { a, b } from 'x';\n",
    ],
    [
      'style: several lines stay several lines',
      "import {\n    b,\n    c,\n} from 'x'\nimport { a } from 'x'\n",
      "import {\n    a,\n    b,\n    c,\n} from 'x'\n",
    ],
    [
      'style: no comma after the last',
      "import {\n\tb\n} from 'x'\nimport { a } from 'x'\n",
      "import {\n\ta,\n\tb\n} from 'x'\n",
    ],
    [
      'style: a long line is broken',
      `import { ${'b'.repeat(40)} } from 'x'\nimport { ${'a'.repeat(40)} } from 'x'\n`,
      `import {\n  ${'a'.repeat(40)},\n  ${'b'.repeat(40)},\n} from 'x'\n`,
    ],
    [
      'line ends of Windows',
      "import { b } from 'x'\r\nimport { a } from 'x'\r\n\r\nb(a)\r\n",
      "import { a, b } from 'x'\r\n\r\nb(a)\r\n",
    ],
    [
      'a blank line around the one that goes',
      "import { b } from 'x'\n\nimport { a } from 'x'\n\nb(a)\n",
      "import { a, b } from 'x'\n\nb(a)\n",
    ],
    ['on one line', "import { b } from 'x'; import { a } from 'x'; b(a)\n", "import { a, b } from 'x'; b(a)\n"],
    ['without a line end', "import { b } from 'x'\nimport { a } from 'x'", "import { a, b } from 'x'\n"],
    [
      'with attributes that are the same',
      "import { b } from './x.json' with { type: 'json' }\nimport { a } from './x.json' with { type: 'json' };\n",
      "import { a, b } from './x.json' with { type: 'json' }\n",
    ],
    [
      'in the middle of a file',
      "#!/usr/bin/env node\n'use strict'\nimport { b } from 'x'\nb()\nimport { a } from 'x'\na()\n",
      "#!/usr/bin/env node\n'use strict'\nimport { a, b } from 'x'\nb()\na()\n",
    ],
    [
      'keywords as names',
      "import { default as d, type } from 'x'\nimport { from, as } from 'x'\n",
      "import { as, default as d, from, type } from 'x'\n",
    ],
  ]
  test.each(cases)('%s', async (_, before, after) => {
    expect(await merged('a.js', before)).toBe(after)
  })
})

describe('TypeScript', () => {
  const cases: Case[] = [
    ['types with types', "import type { B } from 'x'\nimport type { A } from 'x'\n", "import type { A, B } from 'x'\n"],
    [
      'types across others: they are never evaluated',
      "import type { B } from 'x'\nimport 'y'\nimport type { A } from 'x'\n",
      "import type { A, B } from 'x'\nimport 'y'\n",
    ],
    [
      'types inside braces',
      "import { type B, c } from 'x'\nimport { type A } from 'x'\n",
      "import { type A, type B, c } from 'x'\n",
    ],
    [
      'next to each other',
      "import { B } from 'x'\nimport type { T } from 'y'\nimport { A } from 'x'\n",
      "import { A, B } from 'x'\nimport type { T } from 'y'\n",
    ],
    [
      'over another module, when the first is surely kept',
      "import { b } from 'x'\nimport y from 'y'\nimport { a } from 'x'\nconst c = b(a, y)\n",
      "import { a, b } from 'x'\nimport y from 'y'\nconst c = b(a, y)\n",
    ],
    ['a module called type', "import type from 'x'\nimport { a } from 'x'\n", "import type, { a } from 'x'\n"],
    [
      'generics and assertions',
      "import { b } from 'x'\nimport { a } from 'x'\nconst f = <T>(t: T) => <unknown>t\nconst g = a! / 2 / b!\n",
      "import { a, b } from 'x'\nconst f = <T>(t: T) => <unknown>t\nconst g = a! / 2 / b!\n",
    ],
  ]
  test.each(cases)('%s', async (_, before, after) => {
    expect(await merged('a.ts', before)).toBe(after)
  })

  const leftAlone = {
    'types and values': "import type { A } from 'x'\nimport { b } from 'x'\n",
    'a type default and type names': "import type D from 'x'\nimport type { A } from 'x'\n",
    'a bare import, because the named one may be dropped': "import 'x'\nimport { A } from 'x'\nlet a: A\n",
    'over another module, when the first may be dropped':
      "import { B } from 'x'\nimport y from 'y'\nimport { a } from 'x'\nlet b: B = a(y)\n",
    'import x = require()': "import x = require('x')\nimport y = require('x')\n",
    'inside a namespace': "declare module 'm' {\n  import { a } from 'x'\n  import { b } from 'x'\n}\n",
    'a type that imports': "type A = import('x').A\ntype B = import('x').B\n",
  }
  test.each(Object.entries(leftAlone))('left alone: %s', async (_, text) => {
    expect(await merged('a.ts', text)).toBe(text)
  })
})

describe('left alone', () => {
  const leftAlone = {
    'different modules': "import a from './x'\nimport b from './x.js'\n",
    'a namespace': "import * as n from 'x'\nimport { a } from 'x'\nimport d, * as m from 'x'\n",
    're-exports': "export { a } from 'x'\nexport { b } from 'x'\nexport * from 'x'\n",
    expressions:
      "const a = await import('x')\nconst b = await import('x')\nconst c = import.meta.url, d = import.meta.url\n",
    'other attributes': "import a from './x.json' with { type: 'json' }\nimport { b } from './x.json'\n",
    'a deferred import': "import defer * as a from 'x'\nimport defer * as b from 'x'\n",
    'empty braces': "import {} from 'x'\nimport { a } from 'x'\n",
    'in a string': "const s = \"\\\nimport { a } from 'x'\\\nimport { b } from 'x'\"\n",
    'in a template':
      "const s = `\nimport { a } from 'x'\nimport { b } from 'x'\n${`\nimport { a } from 'x'\nimport { b } from 'x'\n`}`\n",
    'in comments':
      "/*\nimport { a } from 'x'\nimport { b } from 'x'\n*/\n// import { a } from 'x'\n// import { b } from 'x'\n",
    'in a regular expression': "const r = /`'\"/\nconst s = `import { a } from 'x'`\nconst t = /[`/]import/\n",
    'a comment inside':
      "import { a /* the first */ } from 'x'\nimport { b } from 'x'\nimport { c } from 'y'\nimport { d, // why\n} from 'y'\n",
    'a comment above the second': "import { a } from 'x'\n// @ts-expect-error no types\nimport { b } from 'x'\n",
    'a comment behind the second': "import { a } from 'x'\nimport { b } from 'x' // keep apart\n",
    'members called import': 'x.import\nx?.import\nconst y = { import: 1 }\n',
    'what is not closed': "import { a } from 'x'\nimport { b } from 'y'\nconst s = `\nimport { c } from 'x'\n",
  }
  test.each(Object.entries(leftAlone))('%s', async (_, text) => {
    expect(await merged('a.mjs', text)).toBe(text)
  })

  test('what generators and others wrote', async () => {
    const text = "import { a } from 'x'\nimport { b } from 'x'\n"
    const files = { 'node_modules/x/a.js': text, 'dist/a.js': text, 'vendor/a.js': text, 'a.txt': text, 'a.cjs': text }
    await using tree = await openTree(files)
    expect(await tree.run('merge-imports')).toMatchObject({ code: 0, headline: nothing })
    expect(await tree.readAll()).toEqual(files)
  })
})

test('markup in a script: what stands above it is merged, its words are not read', async () => {
  const before =
    "import { b } from 'x'\nimport { a } from 'x'\nexport const A = () => <p>don't import {a} from 'x'</p>\n"
  const after = "import { a, b } from 'x'\nexport const A = () => <p>don't import {a} from 'x'</p>\n"
  expect(await merged('a.jsx', before)).toBe(after)
  expect(await merged('a.tsx', before)).toBe(after)
  expect(await merged('a.js', before)).toBe(after)
})

test('several files, and a scope', async () => {
  const twice = "import { b } from 'x'\nimport { a } from 'x'\n"
  await using tree = await openTree({ 'src/a.js': twice, 'src/ü b.ts': twice, 'c.js': twice })
  expect(await tree.run('merge-imports', { scope: 'src' })).toMatchObject({
    headline: 'Merged duplicate imports in 2 files',
  })
  expect(await tree.read('c.js')).toBe(twice)
})
