import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Face } from '../../src/http/face.ts'
import { createNews } from '../../src/http/news.ts'
import { runsApi } from '../../src/http/api/runs.ts'
import {
  followStory,
  readCursor,
  storyAfter,
  storyStart,
  writeCursor,
  type StoryCursor,
  type StoryFace,
  type StoryPart,
} from '../../src/http/story.ts'
import type { Attempt, Run, RunEvent, RunState } from '../../src/ledger/schema.ts'
import { openTranscript, readTranscript } from '../../src/runs/transcript.ts'
import { spoken } from '../support/spoken.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'overnight-story-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A run whose attempts write real transcripts, and whose timeline is a list. */
function createRun(path: string) {
  const state = { state: 'working' as RunState, events: [] as RunEvent[], fences: [] as number[] }
  const face: StoryFace = {
    transcriptOf: (_run, cursor) => readTranscript(join(path, String(cursor.fence)), cursor, 200),
    ledger: {
      events: { after: async (_run, id, limit) => state.events.filter((event) => event.id > id).slice(0, limit) },
      runs: {
        find: async () => ({ state: state.state }) as Run,
        attemptsOf: async () => state.fences.map((fence) => ({ fence }) as Attempt),
      },
    },
  }
  return {
    face,
    happen(now: RunState): void {
      state.state = now
      state.events.push({
        id: state.events.length + 1,
        run: 'r',
        fence: 1,
        kind: 'state',
        data: { state: now },
        at: new Date(0),
      })
    },
    async attempt(texts: readonly string[], capBytes = 1024 * 1024) {
      const fence = state.fences.length + 1
      let grown = Promise.withResolvers<void>()
      const transcript = await openTranscript(join(path, String(fence)), capBytes, () => {
        grown.resolve()
        grown = Promise.withResolvers()
      })
      state.fences.push(fence)
      const append = (text: string) =>
        transcript.append({
          at: '',
          sessionUpdate: 'agent_message_chunk',
          content: { type: 'text', text },
          stream: 'stdout',
        })
      for (const text of texts) await append(text)
      /** Resolves when it can be read. */
      const say = async (text: string) => {
        const readable = grown.promise
        await append(text)
        await readable
      }
      return { say, close: () => transcript.close() }
    },
  }
}

const told = (part: StoryPart | { kind: 'idle' }) => {
  if (part.kind === 'event') return `[${String(part.event.data['state'])}]`
  return part.kind === 'output' ? spoken(part.line) : `<${part.kind}>`
}

/** Reads as a client does whose connection breaks after so many parts; it comes back with the last id it has seen. */
async function readInPieces(face: StoryFace, pieces: readonly number[]): Promise<string[]> {
  const all: string[] = []
  let cursor: StoryCursor = storyStart
  for (const length of [...pieces, Infinity]) {
    let left = length
    for await (const part of storyAfter(face, 'r', cursor)) {
      if (left-- <= 0) break
      all.push(told(part))
      cursor = readCursor(writeCursor(part.cursor))
    }
  }
  return all
}

describe('a story that was cut off', () => {
  test('goes on with nothing twice and nothing missing, wherever it was cut', async () => {
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 12 })
    const story = fc.record({ attempts: fc.array(texts, { maxLength: 3 }), events: fc.integer({ min: 0, max: 6 }) })
    const pieces = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 8 })
    let trial = 0
    await fc.assert(
      fc.asyncProperty(story, pieces, async ({ attempts, events }, cuts) => {
        const run = createRun(join(folder, String(trial++)))
        for (let index = 0; index < events; index++) run.happen('working')
        for (const said of attempts) await (await run.attempt(said)).close()
        const whole = await readInPieces(run.face, [])
        expect(whole).toEqual([
          ...Array<string>(events).fill('[working]'),
          ...attempts.flat().map((text) => text.toWellFormed()),
        ])
        expect(await readInPieces(run.face, cuts)).toEqual(whole)
      }),
      { numRuns: 25 },
    )
  })

  test('says what was left out once, and goes on behind it', async () => {
    const run = createRun(folder)
    const many = Array.from({ length: 2000 }, (_, index) => `${index} ${'x'.repeat(60)}`)
    await (await run.attempt(many, 64 * 1024)).close()
    const whole = await readInPieces(run.face, [])
    expect(whole.filter((text) => text === '<left_out>').length).toBe(1)
    expect(whole.at(-1)).toMatch(/^1999 /)
    expect(await readInPieces(run.face, [3, 200, 1, 0, 77])).toEqual(whole)
  })

  test('a timeline longer than one reading is told to its end', async () => {
    const run = createRun(folder)
    for (let index = 0; index < 1234; index++) run.happen('working')
    expect((await readInPieces(run.face, [])).length).toBe(1234)
  })
})

test.each(['', '1', '1.2', '1.2.x', '-1.2.3', '1.2.3.4', '1e3.2.3', `${'9'.repeat(40)}.1.1`])(
  '%j is no place: from the beginning',
  (text) => {
    expect(readCursor(text)).toEqual(storyStart)
  },
)

describe('a story that is followed', () => {
  test('tells what happens as it happens, and ends with the run', async () => {
    const run = createRun(folder)
    const news = createNews()
    const abort = new AbortController()
    run.happen('working')
    const agent = await run.attempt([])
    await agent.say('first')
    const story = followStory({ ...run.face, news }, 'r', { from: storyStart, signal: abort.signal })
    const next = async () => {
      const { value, done } = await story.next()
      return done ? 'ended' : told(value)
    }
    expect([await next(), await next()]).toEqual(['[working]', 'first'])

    const second = next()
    await agent.say('second')
    news.tell('r', 'output')
    expect(await second).toBe('second')

    const last = next()
    await agent.close()
    run.happen('published')
    news.tell('another run', 'state')
    news.tell('r', 'state')
    expect([await last, await next()]).toEqual(['[published]', 'ended'])
  })

  test('what comes between looking and waiting is not missed', async () => {
    const run = createRun(folder)
    const news = createNews()
    run.happen('working')
    const find = run.face.ledger.runs.find
    let looked = false
    run.face.ledger.runs.find = async (id) => {
      const found = await find(id)
      // The ending is committed and told right after this reader has read the state.
      if (!looked) run.happen('published')
      if (!looked) news.tell('r', 'state')
      looked = true
      return found
    }
    const all: string[] = []
    for await (const part of followStory({ ...run.face, news }, 'r', {
      from: storyStart,
      signal: AbortSignal.timeout(5000),
    })) {
      all.push(told(part))
    }
    expect(all).toEqual(['[working]', '[published]'])
  })

  test('a quiet stream carries a sign of life, so that nothing in between takes it for dead', async () => {
    const run = createRun(folder)
    run.happen('working')
    let waits = 0
    const news: Face['news'] = {
      tell: () => {},
      next: async () => {
        if (++waits === 3) run.happen('published')
        return 'quiet'
      },
    }
    const face = { ...run.face, news, acts: { find: async () => ({ id: 'r' }) } } as unknown as Face
    const answer = await runsApi(face).request('/r/events')
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const text = await answer.text()
    expect(text).toMatch(/^id: 1\.0\.0$/m)
    expect(text.match(/^: still here$/gm)?.length).toBeGreaterThan(0)
    expect(text).toMatch(/^id: 2\.0\.0$/m)
  })

  test('a reader who goes away leaves nothing waiting', async () => {
    const run = createRun(folder)
    const listening = new Set<AbortSignal>()
    const real = createNews()
    const news: Face['news'] = {
      tell: real.tell,
      next: async (id, options) => {
        listening.add(options.signal)
        return real.next(id, options).finally(() => listening.delete(options.signal))
      },
    }
    const abort = new AbortController()
    const story = followStory({ ...run.face, news }, 'r', { from: storyStart, signal: abort.signal })
    const next = story.next()
    await expect.poll(() => listening.size).toBe(1)
    abort.abort()
    expect((await next).done).toBe(true)
    expect(listening.size).toBe(0)
  })
})
