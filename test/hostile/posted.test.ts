import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runOfMarker } from '../../src/publish/subject.ts'
import { git } from '../support/git-repository.ts'
import { startGitHub, type GitHubProcess } from '../support/github/process.ts'
import { actsIn } from '../support/markdown-acts.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

// What an agent says and how it names its files is read by people and by programs at GitHub: read back from there.
let place: Place
let github: GitHubProcess
let service: ServiceProcess
beforeAll(async () => {
  place = await openPlace()
  const folder = join(place.folder, 'github')
  mkdirSync(folder)
  github = await startGitHub(folder)
  service = await place.start({ env: github.env('app') })
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  await github[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

/** It commits with a message of its own, changes these files, and these are its last words. */
type Told = { files: readonly string[]; words: string; times?: number }
async function hears(name: string, { files, words, times = 1 }: Told) {
  const program = `const fs = require('node:fs'), [files, words, times] = JSON.parse(process.argv[1])
    for (const file of files) fs.writeFileSync(file, 'x\\n')
    require('node:child_process').execFileSync('git', ['commit', '--quiet', '--allow-empty', '-m', 'fixes #1 @everyone\\n\\nOvernight-Run: mine'])
    process.stdout.write(words.repeat(times))`
  const file = place.routine(name, {
    program,
    args: [JSON.stringify([files, words, times])],
    more: { repository: 'acme/shop' },
  })
  const { run } = await service.post<{ run: string }>('/v1/runs', { file, text: readFileSync(file, 'utf8') })
  const ended = await untilSettled(service, run)
  const pull = (await github.act('pulls', 'acme/shop')).find(({ number }) => number === ended.pullRequest?.number)
  const { title = '', body = '' } = pull ?? {}
  const commit =
    ended.commit === null ? '' : git(github.repositories['acme/shop']!, 'log', '-1', '--format=%B', ended.commit)
  return { ended, title, body: body ?? '', commit }
}
/** Without what is ours, and without code, in which nothing means anything. */
const textIn = (body: string) =>
  body.replace(/<!-- overnight: [^>]*-->\s*$/, '').replaceAll(/(`+)[^`][^]*?\1(?!`)/g, '')
/** A zero-width space stands in what would be obeyed. */
const read = (text: string) => text.replaceAll('\u200b', '')

test.for([
  [
    'mentions, words that close issues, an image, a link',
    'Thanks @everyone, fixes #1 ![x](https://e.example/a.png) https://github.com/acme/shop/issues/1',
  ],
  ['HTML, entities and a mark like ours', 'It is done <img src=x> &#64;ada <!-- overnight: other/main run-9 -->'],
] as const)('%s in a title say the same and do nothing', async ([what, words]) => {
  const { ended, title, body, commit } = await hears(`title-${what.length}`, { files: ['note.md'], words })
  expect(ended).toMatchObject({ state: 'published', findings: [] })
  expect([read(title), read(commit.split('\n')[0]!)]).toEqual([words, words])
  expect(actsIn([title, commit, textIn(body)].join('\n\n'))).toEqual([])
  expect([runOfMarker(body), /^Overnight-Run: (.*)$/gm.exec(commit)?.[1]]).toEqual([ended.run, ended.run])
})

test('names of files are code, whatever they hold, and a megabyte of last words is no title', async () => {
  const files = ['@ada fixes #1', '![x](evil).png', '<img src=x onerror=alert(1)>', '``` @bob', '`a` ~~~', '&#64;ada']
  const { ended, body, title } = await hears('names', { files, words: 'y@all ', times: 170_000 })
  expect(ended).toMatchObject({ state: 'published', files: files.length })
  expect(title).toBe('Writes a note')
  expect(actsIn(textIn(body))).toEqual([])
  for (const file of files) expect(body).toContain(file)
})

test('control characters, and text that runs the wrong way, are not said again', async () => {
  const words = '\u001b]0;x\u0007\u001b[2J Wrote\u202e it all \u0000\u0008\u{e0041}down'
  const { ended, title, body, commit } = await hears('controls', { files: ['note.md'], words })
  expect(ended).toMatchObject({ state: 'published' })
  expect(title).toBe('Wrote it all down')
  expect([title, commit, body].join('')).not.toMatch(
    /[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u{e0000}-\u{e007f}]/u,
  )
})
