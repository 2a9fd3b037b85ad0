import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openTranscript, readTranscript, type TranscriptLine } from '../../src/runs/transcript.ts'
import { spoken } from '../support/spoken.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'overnight-transcript-'))
})
afterEach(() => rm(folder, { recursive: true }))

const line = (text: string): TranscriptLine => ({
  at: '2026-11-20T02:00:00.000Z',
  sessionUpdate: 'agent_message_chunk',
  content: { type: 'text', text },
  stream: 'stdout',
})

async function readAll(path: string, maxBytes: number) {
  const texts: string[] = []
  let cursor = { fence: 1, offset: 0 }
  let leftOut = 0
  for (;;) {
    const part = await readTranscript(path, cursor, maxBytes)
    texts.push(...part.lines.map(({ line }) => spoken(line)))
    leftOut += part.leftOutBytes
    cursor = part.cursor
    if (!part.more) return { texts, leftOut, cursor }
  }
}

test('a short transcript is read back whole, however small the pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary' }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 300 }),
      async (texts, maxBytes) => {
        const path = join(folder, 'whole')
        const transcript = await openTranscript(path, 1024 * 1024, () => {})
        for (const text of texts) await transcript.append(line(text))
        const summary = await transcript.close()
        const read = await readAll(path, maxBytes)
        expect(read.texts).toEqual(texts.map((text) => JSON.parse(JSON.stringify(text)) as string))
        expect(read.leftOut).toBe(0)
        expect(read.cursor.offset).toBe(summary.bytes)
      },
    ),
    { numRuns: 20 },
  )
})

test('a flood keeps its beginning and its end, within the cap, and says how much is left out', async () => {
  const cap = 64 * 1024
  const transcript = await openTranscript(join(folder, 'flood'), cap, () => {})
  for (let index = 0; index < 5000; index++) await transcript.append(line(`${index} ${'x'.repeat(100)}`))
  const summary = await transcript.close()
  const sizes = await Promise.all(
    (await readdir(join(folder, 'flood'))).map(async (name) => (await stat(join(folder, 'flood', name))).size),
  )
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(cap + 64 * 1024)
  const read = await readAll(join(folder, 'flood'), 4096)
  expect(read.texts[0]).toMatch(/^0 x/)
  expect(read.texts.at(-1)).toMatch(/^4999 x/)
  expect(read.leftOut).toBeGreaterThan(0)
  expect(read.cursor.offset).toBe(summary.bytes)
})

test('a reader who stopped in what was dropped goes on behind the gap', async () => {
  const path = join(folder, 'slow')
  const transcript = await openTranscript(path, 64 * 1024, () => {})
  for (let index = 0; index < 400; index++) await transcript.append(line(`${index} ${'x'.repeat(100)}`))
  const { cursor } = await readAll(path, 4096)
  for (let index = 400; index < 4000; index++) await transcript.append(line(`${index} ${'x'.repeat(100)}`))
  await transcript.close()
  const part = await readTranscript(path, cursor)
  const next = part.lines.length > 0 ? part : await readTranscript(path, part.cursor)
  expect(next.lines.length).toBeGreaterThan(0)
})

test.for([
  ['control characters, six bytes each', '\u0000'],
  ['pairs of surrogates', '😀'],
] as const)('%s: the files stay within the cap, and no character is broken', async ([, unit]) => {
  const cap = 64 * 1024
  const path = join(folder, 'wide')
  const transcript = await openTranscript(path, cap, () => {})
  for (let index = 0; index < 300; index++) await transcript.append(line(`\n${unit.repeat(7000 + index)}`))
  await transcript.append(line('last'))
  await transcript.close()
  const sizes = await Promise.all((await readdir(path)).map(async (name) => (await stat(join(path, name))).size))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(cap)
  const { texts } = await readAll(path, 1000)
  expect(texts.join('').replaceAll(unit, '').replaceAll('\n', '')).toBe('last')
  expect(texts.at(-1)).toBe('last')
})

test('what cannot be written fails the next line, and the end', async () => {
  const path = join(folder, 'gone')
  const transcript = await openTranscript(path, 64 * 1024, () => {})
  await rm(path, { recursive: true })
  const flood = async () => {
    for (let index = 0; index < 1000; index++) await transcript.append(line('x'.repeat(10_000)))
  }
  await expect(flood()).rejects.toThrow(/ENOENT/)
  await expect(transcript.close()).rejects.toThrow(/ENOENT/)
})

test('growth is announced, and announced once more at the end', async () => {
  let announced = 0
  const transcript = await openTranscript(join(folder, 'grow'), 64 * 1024, () => announced++)
  for (let index = 0; index < 1000; index++) await transcript.append(line('x'))
  await transcript.close()
  expect(announced).toBeGreaterThanOrEqual(1)
  expect(announced).toBeLessThan(100)
})
