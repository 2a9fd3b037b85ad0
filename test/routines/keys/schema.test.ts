import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { routineJsonSchema } from '../../../src/routines/keys/front-matter.ts'
import { lintAfter } from '../../../src/routines/lint-after.ts'
import { lintRoutine } from '../../../src/routines/lint.ts'
import { nearest } from '../../../src/routines/nearest.ts'
import type { JsonSchema } from '../../../src/routines/reading/schema-keys.ts'
import { newRoutine } from '../../../src/routines/template.ts'
import { readYaml } from '../../../src/routines/reading/yaml-tree.ts'
import { readGood, routineText } from '../reading/reading.ts'

type Key = { path: string; schema: JsonSchema }

function keysOf(schema: JsonSchema, path = ''): Key[] {
  const alternatives = [
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...(schema.allOf ?? []),
    ...(schema.items ? [schema.items] : []),
  ]
  const any = typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : []
  const here = Object.entries(schema.properties ?? {}).map(([key, inner]) => ({
    path: `${path}.${key}`,
    schema: inner,
  }))
  return [
    ...here,
    ...here.flatMap((key) => keysOf(key.schema, key.path)),
    ...[...alternatives, ...any].flatMap((inner) => keysOf(inner, path)),
    ...Object.entries(schema.definitions ?? {}).flatMap(([name, inner]) => keysOf(inner, `${path}#${name}`)),
  ]
}

test('every key has its sentence, and every map is strict', () => {
  const schema = routineJsonSchema()
  const keys = keysOf(schema)
  expect(keys.length).toBeGreaterThan(50)
  expect(keys.filter((key) => !key.schema.description).map((key) => key.path)).toEqual([])
  const loose = keys.filter(({ schema: inner }) => inner.properties && inner.additionalProperties !== false)
  expect(loose.map((key) => key.path)).toEqual([])
  expect(schema.additionalProperties).toBe(false)
  expect(schema.required ?? []).toEqual([])
})

test('the schema knows every key of the example, and is plain JSON', () => {
  const text = readFileSync(join(import.meta.dirname, '../every-key.md'), 'utf8')
  const tree = readYaml(text.split('---\n')[1] ?? '')
  if ('faults' in tree) throw new Error('the example is no YAML')
  const schema = routineJsonSchema()
  expect(Object.keys(schema.properties ?? {})).toEqual(expect.arrayContaining(Object.keys(tree.value as object)))
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
  expect(schema).toMatchObject({ title: 'Overnight routine', type: 'object' })
})

test('a new routine is valid, available, and points an editor at the schema', () => {
  const text = newRoutine({ schema: 'routine.schema.json' })
  expect(readGood(text)).toMatchObject({ unavailable: [], repository: '..', engine: { name: 'command' } })
  expect(text.split('\n')[1]).toBe('# yaml-language-server: $schema=routine.schema.json')
  expect(readGood(newRoutine({ schema: 'x', repository: './a "b"' })).repository).toBe('./a "b"')
})

test('check warns about what cannot be done yet and what cannot be seen', () => {
  const routine = readGood(routineText('limits: { usd: 1 }', 'Tidy\u202e up\u200b.'))
  expect(lintRoutine(routine)).toEqual([
    {
      file: routine.file,
      line: 4,
      column: 11,
      message: 'a limit on money is not available for the engine command',
      hint: 'use limits.minutes',
    },
    {
      file: routine.file,
      line: 6,
      column: 5,
      message: 'there is a hidden character U+202E',
      hint: expect.any(String) as string,
    },
    {
      file: routine.file,
      line: 6,
      column: 9,
      message: 'there is a hidden character U+200B',
      hint: expect.any(String) as string,
    },
  ])
  expect(lintRoutine(readGood(routineText('', 'Räum auf 👩‍💻 नमस्ते')))).toEqual([])
})

test('check warns about a routine that follows nobody', () => {
  const [a, b] = [readGood(routineText('on: { after: { routine: tidi } }')), readGood(routineText())]
  expect(lintAfter([a, { ...b, name: 'tidy' }])).toEqual([
    {
      file: a.file,
      line: 4,
      column: 16,
      message: 'there is no routine "tidi" that this one could follow',
      hint: 'did you mean "tidy"?',
    },
  ])
  expect(lintAfter([a, { ...b, name: 'tidi' }])).toEqual([])
})

test.each([
  ['reposotory', 'repository'],
  ['shcedule', 'schedule'],
  ['Repository', 'repository'],
  ['repo', undefined],
  ['zzz', undefined],
  ['x'.repeat(100_000), undefined],
])('the key nearest to %.12s', (written, expected) => {
  expect(nearest(written, ['repository', 'schedule', 'api', 'on'])).toBe(expected)
})

test('check warns about events of GitHub that can never be for a routine', () => {
  const warningsOf = (repository: string) => {
    const text = `---\nrepository: ${repository}\nengine: { name: command, command: [x] }\non: { github: { event: push } }\n---\n`
    return lintRoutine(readGood(text)).map(({ line, column, message, hint }) => [line, column, message, hint])
  }
  const hint = 'write repository: owner/name, or take on.github out'
  for (const local of ['./shop', '/srv/shop', 'shop', '../a/b', 'a/b/c', 'file:///srv/shop.git'])
    expect(warningsOf(local)).toEqual([
      [4, 7, `no event of GitHub is for a routine of the repository ${JSON.stringify(local)} on this machine`, hint],
    ])
  for (const forge of ['acme/shop', 'https://github.com/acme/shop', 'git@github.com:acme/shop.git', 'ssh://git@h/a/b'])
    expect(warningsOf(forge)).toEqual([])
  expect(lintRoutine(readGood(routineText()))).toEqual([])
  const none = '---\noutput: report\nengine: claude\non: { github: { event: push } }\n---\nx'
  expect(lintRoutine(readGood(none)).map(({ message }) => message)).toContain(
    'no event of GitHub is for a routine without a repository',
  )
})
