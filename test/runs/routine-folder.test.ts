import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRoutineFolder } from '../../src/runs/routine-folder.ts'
import { openFolder, writeFiles, type Files } from '../support/git-repository.ts'

const engineOf = (command: string[], name = 'command') => ({ name, command, model: null, effort: null })

async function shownIn(files: Files, command: string[], engine = 'command') {
  using folder = openFolder()
  const path = folder.path
  writeFiles(path, files)
  const read = await readRoutineFolder({ file: join(path, 'nightly.md'), engine: engineOf(command, engine) })
  const short = (one: string) => one.replace(path, '~')
  return { argv: read.argv.map(short), shown: read.shown.map(short), notes: read.notes }
}

const clean = { 'nightly.md': '', 'tool.mjs': '', 'programs/x.mjs': '', 'programs/lib/y.mjs': '' }

test('a command sees the folder of its routine, where nothing private lies', async () => {
  expect(await shownIn(clean, ['node', './programs/x.mjs', './not-there', './../out'])).toEqual({
    argv: ['node', '~/programs/x.mjs', './not-there', './../out'],
    shown: ['~'],
    notes: [],
  })
})

test.each([
  ['.git/config', '.git'],
  ['.git', '.git'],
  ['.env', '.env'],
  ['.env.local', '.env.local'],
  ['.envrc', '.envrc'],
  ['.ENV', '.ENV'],
  ['shop/.git/config', 'shop/.git'],
  ['deploy/.env', 'deploy/.env'],
])('beside %s it sees its file and what it names', async (name, told) => {
  expect(await shownIn({ ...clean, [name]: '' }, ['node', './programs/x.mjs', './tool.mjs'])).toEqual({
    argv: ['node', '~/programs/x.mjs', '~/tool.mjs'],
    shown: ['~/nightly.md', '~/programs', '~/tool.mjs'],
    notes: [`the routine's folder holds ${told}, so no more of it is shown than nightly.md, programs, tool.mjs`],
  })
})

test.each([['.gitignore'], ['.github/x.yml'], ['env'], ['a/b/.env']])('%s is nothing private', async (name) => {
  expect((await shownIn({ ...clean, [name]: '' }, ['true'])).shown).toEqual(['~'])
})

test('of a folder of programs with something private the program alone', async () => {
  const files = { ...clean, 'programs/.env': '' }
  expect((await shownIn(files, ['./programs/x.mjs', './programs/lib/y.mjs'])).shown).toEqual([
    '~/nightly.md',
    '~/programs/x.mjs',
    '~/programs/lib',
  ])
})

test('a routine whose file is gone, and that names nothing', async () => {
  expect(await shownIn({ '.env': '' }, ['true'])).toEqual({
    argv: ['true'],
    shown: [],
    notes: ["the routine's folder holds .env, so nothing of it is shown"],
  })
})

test('other engines see none of it', async () => {
  expect(await shownIn(clean, [], 'claude')).toEqual({ argv: [], shown: [], notes: [] })
})
