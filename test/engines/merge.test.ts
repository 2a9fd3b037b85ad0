import { expect, test } from 'vitest'
import { merge } from '../../src/engines/merge.ts'

async function* of<T>(...items: T[]) {
  yield* items
}

test('everything of all sources, each in its order', async () => {
  const all = await Array.fromAsync(merge([of('a1', 'a2', 'a3'), of<string>(), of('b1', 'b2')]))
  expect(all.filter((item) => item.startsWith('a'))).toEqual(['a1', 'a2', 'a3'])
  expect(all.filter((item) => item.startsWith('b'))).toEqual(['b1', 'b2'])
  expect(all).toHaveLength(5)
})

test('a flood starves nobody', async () => {
  async function* flood() {
    for (;;) yield 'flood'
  }
  const seen: string[] = []
  for await (const item of merge([flood(), of('heard')])) {
    seen.push(item)
    if (item === 'heard' || seen.length > 10) break
  }
  expect(seen).toContain('heard')
})

test('a source is asked only when its item was taken', async () => {
  let asked = 0
  async function* counting() {
    for (;;) yield (asked += 1)
  }
  const merged = merge([counting()])
  await merged.next()
  await merged.next()
  expect(asked).toBe(2)
})

test('a source that fails fails the whole', async () => {
  async function* failing(): AsyncGenerator<string> {
    yield 'one'
    throw new Error('broken')
  }
  await expect(Array.fromAsync(merge([failing()]))).rejects.toThrow('broken')
})
