import { readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createResults, type Result } from '../../../src/checkout/setup/results.ts'
import { openFolder } from '../../support/git-repository.ts'

let folder: ReturnType<typeof openFolder>
beforeEach(() => void (folder = openFolder()))
afterEach(() => folder[Symbol.dispose]())

const MB = 1024 ** 2
const openResults = (maxBytes = 10 * MB) => createResults({ folder: join(folder.path, 'cache'), maxBytes })
const names = () => readdirSync(join(folder.path, 'cache')).toSorted()

async function keep(results: ReturnType<typeof openResults>, key: string, content: string | Buffer): Promise<void> {
  await using draft = await results.draft()
  for (const part of [content.slice(0, 5), content.slice(5)]) expect(await draft.write(Buffer.from(part))).toBe(true)
  await draft.keep(key)
}
const contentOf = async (found: Result | string | undefined) => {
  if (found === undefined || typeof found === 'string') return found
  await using result = found
  return (await buffer(result.read())).toString()
}

test('what was kept is there, whole, for everybody who has the folder', async () => {
  const results = openResults()
  expect(await results.find('a')).toBeUndefined()
  await keep(results, 'a', 'content of a')
  await keep(openResults(), 'b', 'content of b')
  expect(await contentOf(await results.find('b'))).toBe('content of b')
  expect(await contentOf(await openResults().find('a'))).toBe('content of a')
  expect(await results.measure()).toEqual({ count: 2, bytes: 2 * (12 + 32) })
  expect(statSync(join(folder.path, 'cache')).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder.path, 'cache', 'a.tar')).mode & 0o777).toBe(0o600)
})

test('what was begun and not kept leaves nothing, and one that is too large is not kept', async () => {
  const results = openResults(2 * MB)
  {
    await using draft = await results.draft()
    expect(await draft.write(Buffer.alloc(MB))).toBe(true)
    expect(await draft.write(Buffer.alloc(1))).toBe(false)
    expect(draft.size()).toBe(MB)
    expect(names()).toHaveLength(1)
  }
  expect(names()).toEqual([])
})

test.each<[string, (path: string) => void | Promise<void>]>([
  ['is shorter than it was', (path) => truncateSync(path, 30)],
  ['has lost its end', (path) => truncateSync(path, 40)],
  ['is empty', (path) => truncateSync(path, 0)],
  ['is a hash alone', (path) => writeFileSync(path, Buffer.alloc(32))],
  ['has a letter more', (path) => writeFileSync(path, 'x', { flag: 'a' })],
  [
    'has one bit that is another',
    async (path) => {
      const file = await open(path, 'r+')
      await file.write(Buffer.from('C'), 0, 1, 0)
      await file.close()
    },
  ],
])('one that %s is broken, and gone', async (_what, harm) => {
  const results = openResults()
  await keep(results, 'a', 'content of a')
  await harm(join(folder.path, 'cache', 'a.tar'))
  expect(await results.find('a')).toBe('broken')
  expect(await results.find('a')).toBeUndefined()
  expect(names()).toEqual([])
})

test('two who make the same at once leave one; who has it open keeps what he found', async () => {
  const results = openResults()
  await Promise.all(['1', '2', '3'].map((content) => keep(results, 'a', content.repeat(100_000))))
  expect(names()).toEqual(['a.tar'])
  const found = await results.find('a')
  await keep(results, 'a', 'newer')
  await results.remove('a')
  expect(await contentOf(found)).toMatch(/^(1+|2+|3+)$/)
})

test('what nobody used for two weeks goes, and of the rest what was used longest ago until all fit', async () => {
  const results = openResults(4 * MB)
  const day = 86_400
  const now = Date.now() / 1000
  const used = (name: string, daysAgo: number) =>
    utimesSync(join(folder.path, 'cache', name), now - daysAgo * day, now - daysAgo * day)
  for (const key of ['a', 'b', 'c', 'd']) await keep(results, key, Buffer.alloc(1.2 * MB))
  used('a.tar', 13)
  used('b.tar', 15)
  used('c.tar', 2)
  used('d.tar', 3)
  writeFileSync(join(folder.path, 'cache', 'dead.new'), Buffer.alloc(MB))
  used('dead.new', 0.1)
  writeFileSync(join(folder.path, 'cache', 'alive.new'), 'x')
  await results.sweep()
  expect(names()).toEqual(['a.tar', 'alive.new', 'c.tar', 'd.tar'])
  // Whoever uses one makes it young.
  await contentOf(await results.find('a'))
  await keep(results, 'e', Buffer.alloc(1.2 * MB))
  await results.sweep()
  expect(names()).toEqual(['a.tar', 'alive.new', 'c.tar', 'e.tar'])
  await results.sweep(Date.now() + 20 * day * 1000)
  expect(names()).toEqual([])
})

test('a folder that cannot be is no reason to fail', async () => {
  writeFileSync(join(folder.path, 'cache'), 'a file')
  const results = openResults()
  expect(await results.find('a')).toBeUndefined()
  await results.sweep()
  expect(await results.measure()).toEqual({ count: 0, bytes: 0 })
  await expect(results.draft()).rejects.toThrow(/EEXIST|ENOTDIR/)
})
