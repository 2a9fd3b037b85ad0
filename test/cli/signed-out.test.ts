import { Command } from 'commander'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { addCheck } from '../../src/cli/check.ts'
import { lookAtGitHub } from '../../src/cli/doctor-github.ts'
import type { Context } from '../../src/cli/context.ts'
import { readConfig } from '../../src/config.ts'
import { openFolder } from '../support/git-repository.ts'

const routine = (repository: string, on: string) =>
  `---\nrepository: ${repository}\nengine: { name: command, command: [x] }\non: { github: ${on} }\n---\n`
const deaf = { 'a.md': routine('acme/shop', '{ event: push }') }
const quiet = {
  'allowed.md': routine('acme/shop', '{ event: push, allow: { users: [mona] } }'),
  'bots.md': routine('acme/shop', '{ event: push, allow: { bots: ["ci[bot]"] } }'),
}
const hint = 'set OVERNIGHT_GITHUB_APP_ID and OVERNIGHT_GITHUB_APP_KEY_FILE, or OVERNIGHT_GITHUB_TOKEN'

/** What a command finds in a folder with these routines. */
async function inFolder<T>(
  files: Record<string, string>,
  env: Record<string, string>,
  ask: (context: Context, out: string[]) => Promise<T>,
): Promise<T> {
  using folder = openFolder()
  await mkdir(join(folder.path, 'routines'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, 'routines', name), text)
  const out: string[] = []
  const context: Context = {
    env: {},
    cwd: folder.path,
    config: () => readConfig(env, folder.path),
    out: (text) => void out.push(text),
    err: () => {},
    exit: () => {},
    isTerminal: false,
    input: async () => '',
    onSignal: () => {},
  }
  return await ask(context, out)
}
const check = (files: Record<string, string>, env: Record<string, string> = {}) =>
  inFolder(files, env, async (context, out) => {
    const program = new Command()
    addCheck(program, context)
    await program.parseAsync(['check'], { from: 'user' })
    return out.join('').split('\n').slice(0, -2)
  })
const doctor = (files: Record<string, string>) => inFolder(files, {}, (context) => lookAtGitHub(context))

test('check warns of routines whose events would all be refused, because nobody is signed in', async () => {
  expect(await check({ ...deaf, ...quiet })).toEqual([
    `warning: routines/a.md:4:7: nobody is signed in at GitHub, so that it cannot be asked who may start this: its events are refused – ${hint}`,
  ])
  expect(await check({ ...deaf, ...quiet }, { OVERNIGHT_GITHUB_TOKEN: 'ghp_x' })).toEqual([])
  // Said of it already: no event is for it.
  expect(await check({ 'b.md': routine('.', '{ event: push }') })).toHaveLength(1)
})

test('doctor names them', async () => {
  const what = 'forge github.com'
  expect(await doctor(quiet)).toEqual([{ what, ok: false, says: 'nobody is signed in' }])
  expect(await doctor({ ...deaf, ...quiet })).toEqual([
    { what, ok: false, says: 'nobody is signed in, so that events for a are refused', hint },
  ])
  const many = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`${name}.md`, deaf['a.md']]))
  expect(await doctor(many)).toMatchObject([{ says: expect.stringContaining('events for a, b, c and 2 more') }])
})
