import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type { Face } from '../../../src/http/face.ts'
import { liveRoutes } from '../../../src/http/pages/live.ts'
import type { Run } from '../../../src/ledger/schema.ts'
import type { TranscriptLine } from '../../../src/runs/transcript.ts'

const tool = { toolCallId: 'toolu_1', title: 'Bash npm test', kind: 'execute' as const }
const texts = (text: string) => [{ type: 'content' as const, content: { type: 'text' as const, text } }]
const lines: TranscriptLine[] = [
  {
    at: '2026-11-20T02:00:00Z',
    sessionUpdate: 'agent_message_chunk',
    content: { type: 'text', text: 'I will test.\n' },
  },
  {
    at: '2026-11-20T02:00:01Z',
    sessionUpdate: 'tool_call',
    status: 'in_progress',
    ...tool,
    content: texts('npm test'),
  },
  { at: '2026-11-20T02:00:03Z', sessionUpdate: 'usage_update', cost: { amount: 0.5, currency: 'USD' } },
  {
    at: '2026-11-20T02:00:05Z',
    sessionUpdate: 'tool_call_update',
    status: 'completed',
    ...tool,
    content: texts('<b>ok</b>'),
  },
]

/** A run that has ended, whose one attempt told these lines. */
const face = {
  zone: 'UTC',
  acts: { find: async () => ({ id: 'r' }) as Run },
  news: { next: async () => 'quiet', tell: () => undefined },
  ledger: {
    now: async () => new Date('2026-11-20T03:00:00Z'),
    events: { after: async () => [] },
    runs: { find: async () => ({ state: 'published' }) as Run, attemptsOf: async () => [{ fence: 1 }] },
  },
  transcriptOf: async (_run: string, cursor: { fence: number; offset: number }) => ({
    lines: lines.slice(cursor.offset).map((line, index) => ({ line, end: cursor.offset + index + 1 })),
    cursor: { ...cursor, offset: lines.length },
    leftOutBytes: 0,
    more: cursor.offset < lines.length,
  }),
} as unknown as Face

async function listen(from: string) {
  const app = new Hono().route(
    '/',
    liveRoutes(face, (_c, next) => next()),
  )
  const text = await (await app.request(`/runs/r/live?from=${from}`)).text()
  return text
    .trim()
    .split('\n\n')
    .map((event) => ({ event: /^event: (\w+)$/m.exec(event)?.[1], id: /^id: (\S+)$/m.exec(event)?.[1], text: event }))
}

test('speech and calls are appended; an answer takes the place of its call, with what was asked', async () => {
  const told = await listen('0.0.0')
  expect(told.map(({ event, id }) => `${event} ${id}`)).toEqual(['append 0.1.1', 'append 0.1.2', 'put 0.1.4'])
  const answer = told[2]!.text
  expect(answer).toContain('id="tool-toolu_1"')
  expect(answer).not.toContain('<template')
  expect(answer).toContain('npm test</pre>')
  expect(answer).toContain('&lt;b&gt;ok')
  expect(answer).toContain('4 s')
})

test('a reader who came after the call still gets its answer', async () => {
  const [answer] = await listen('0.1.2')
  expect(answer).toMatchObject({ event: 'put', id: '0.1.4' })
  expect(answer!.text).toContain('Bash npm test')
})
