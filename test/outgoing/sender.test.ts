import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { OutsideUnreachable } from '../../src/errors.ts'
import type { OutboxRow } from '../../src/ledger/schema.ts'
import { createLog } from '../../src/log.ts'
import type { Answer, GuardedFetch } from '../../src/outgoing/guarded-fetch.ts'
import { createSender } from '../../src/outgoing/sender.ts'
import { newSigningSecret } from '../../src/outgoing/sign.ts'

const secret = newSigningSecret()
const at = new Date('2026-11-21T16:00:00Z')
const row = (id: string, url: string): OutboxRow => ({
  id,
  url,
  kind: 'run.ended',
  body: { id },
  tries: 0,
  error: null,
  notBefore: at,
  createdAt: at,
  sentAt: null,
  givenUpAt: null,
})
const answer = (status: number, headers = {}): Answer => ({ status, headers, body: Buffer.alloc(0) })

type Wanted = { addresses: number; each: number; besides: readonly string[] }

/** What the ledger keeps, as a list: a few an address, none of those under way. */
function openOutbox(...rows: OutboxRow[]) {
  const told: [string, string, unknown?][] = []
  const owed = new Set(rows)
  return {
    told,
    rows,
    take({ addresses, each, besides }: Wanted): Promise<OutboxRow[]> {
      const free = [...owed].filter((one) => !besides.includes(new URL(one.url).origin))
      const few = [...Map.groupBy(free, (one) => new URL(one.url).origin).values()].slice(0, addresses)
      const taken = few.flatMap((rows) => rows.slice(0, each))
      for (const one of taken) owed.delete(one)
      return Promise.resolve(taken.map((one) => Object.assign(one, { tries: one.tries + 1 })))
    },
    sent: (id: string) => Promise.resolve(void told.push([id, 'sent'])),
    later: (id: string, why: { error: string; inMs: number }) =>
      Promise.resolve(void told.push([id, 'later', why.error])),
    untried(id: string) {
      told.push([id, 'untried'])
      return Promise.resolve()
    },
    giveUp: (id: string, error: string) => Promise.resolve(void told.push([id, 'given up', error])),
  }
}

function senderOf(outbox: ReturnType<typeof openOutbox>, post: GuardedFetch) {
  const tools = { outbox, post, secrets: () => Promise.resolve([secret]), kinds: ['run.ended'] as const }
  return createSender({ ...tools, log: createLog('silent') })
}

describe('the sender', () => {
  test('posts each message signed, with its type and time around its data', async () => {
    const posted: Parameters<GuardedFetch>[] = []
    const outbox = openOutbox(row('a', 'https://a.example/hook?x=1'))
    await using sender = senderOf(outbox, (...args) => {
      posted.push(args)
      return Promise.resolve(answer(204))
    })
    await sender.sweep()
    await sender.idle()
    const [url, ask] = posted[0]!
    expect([url, ask!.method, posted.length]).toEqual(['https://a.example/hook?x=1', 'POST', 1])
    expect(new Webhook(secret).verify(String(ask!.body), { ...ask!.headers })).toEqual({
      type: 'run.ended',
      timestamp: '2026-11-21T16:00:00.000Z',
      data: { id: 'a' },
    })
    expect(ask!.headers).toMatchObject({ 'webhook-id': 'a', 'content-type': 'application/json' })
    expect(outbox.told).toEqual([['a', 'sent']])
  })

  test('what each answer means is on record', async () => {
    const answers: Record<string, () => Promise<Answer>> = {
      gone: () => Promise.resolve(answer(410)),
      down: () => Promise.reject(new OutsideUnreachable('down.example', 'ECONNREFUSED', undefined)),
      busy: () => Promise.resolve(answer(503, { 'retry-after': '120' })),
      moved: () => Promise.resolve(answer(302, { location: 'https://10.0.0.1/' })),
    }
    const outbox = openOutbox(...Object.keys(answers).map((name) => row(name, `https://${name}.example/`)))
    await using sender = senderOf(outbox, (url) => answers[new URL(url).hostname.split('.')[0]!]!())
    await sender.sweep()
    await sender.idle()
    expect(outbox.told.toSorted()).toEqual([
      ['busy', 'later', 'it answered 503'],
      ['down', 'later', 'down.example gave no answer: ECONNREFUSED'],
      ['gone', 'given up', 'it answered 410: it wants no more'],
      ['moved', 'later', 'it answered 302; redirects are not followed'],
    ])
  })

  test('an address that does not answer has one message under way and holds up no other', async () => {
    const silent = Promise.withResolvers<Answer>()
    const posts: string[] = []
    const crowd = Array.from({ length: 20 }, (_, index) => row(`silent ${index}`, 'https://silent.example/'))
    const others = Array.from({ length: 40 }, (_, index) => row(`${index}`, `https://h${index}.example/`))
    const outbox = openOutbox(...crowd, ...others)
    const half = Promise.withResolvers<void>()
    await using sender = senderOf(outbox, (url) => {
      posts.push(url)
      if (posts.length === 41) half.resolve()
      return url.includes('silent') ? silent.promise : Promise.resolve(answer(200))
    })
    await sender.sweep()
    await half.promise
    expect(posts.filter((url) => url.includes('silent')).length).toBe(1)
    silent.resolve(answer(200))
    await sender.idle()
    expect(outbox.told.length).toBe(60)
  })

  test('where nobody answers, the next few are not tried one by one', async () => {
    const crowd = Array.from({ length: 4 }, (_, index) => row(`${index}`, 'https://down.example/'))
    const outbox = openOutbox(...crowd)
    await using sender = senderOf(outbox, () =>
      Promise.reject(new OutsideUnreachable('down.example', 'ETIMEDOUT', undefined)),
    )
    await sender.sweep()
    await sender.idle()
    expect(outbox.told.map(([id, what]) => [id, what])).toEqual([
      ['0', 'later'],
      ['1', 'untried'],
      ['2', 'untried'],
      ['3', 'untried'],
    ])
  })

  test('one that answers with an error costs the others nothing', async () => {
    const outbox = openOutbox(row('bad', 'https://a.example/bad'), row('good', 'https://a.example/good'))
    await using sender = senderOf(outbox, (url) => Promise.resolve(answer(url.endsWith('bad') ? 500 : 200)))
    await sender.sweep()
    await sender.idle()
    expect(outbox.told).toEqual([
      ['bad', 'later', 'it answered 500'],
      ['good', 'sent'],
    ])
  })

  test('what is under way when it stops was not tried', async () => {
    const began = Promise.withResolvers<void>()
    const outbox = openOutbox(row('a', 'https://a.example/'))
    const sender = senderOf(
      outbox,
      (_url, ask) =>
        new Promise((_, refuse) => {
          ask!.signal!.addEventListener('abort', () => refuse(new Error('aborted')))
          began.resolve()
        }),
    )
    await sender.sweep()
    await began.promise
    await sender[Symbol.asyncDispose]()
    expect(outbox.told).toEqual([['a', 'untried']])
    await sender.sweep()
    expect(outbox.told.length).toBe(1)
  })

  test('a ledger that is away while an answer comes ends nothing: the message is taken again later', async () => {
    const outbox = openOutbox(row('a', 'https://a.example/'), row('b', 'https://b.example/'))
    const flaky = {
      ...outbox,
      sent: (id: string) => (id === 'a' ? Promise.reject(new Error('away')) : outbox.sent(id)),
    }
    await using sender = senderOf(flaky, () => Promise.resolve(answer(200)))
    await sender.sweep()
    await sender.idle()
    expect(outbox.told).toEqual([['b', 'sent']])
  })

  test('a ledger that is away when it looks is told to who asked, and the next look works', async () => {
    const outbox = openOutbox(row('a', 'https://a.example/'))
    const state = { away: true }
    const take: typeof outbox.take = (wanted) => (state.away ? Promise.reject(new Error('away')) : outbox.take(wanted))
    await using sender = senderOf({ ...outbox, take }, () => Promise.resolve(answer(200)))
    await expect(sender.sweep()).rejects.toThrow('away')
    state.away = false
    await sender.sweep()
    await sender.idle()
    expect(outbox.told).toEqual([['a', 'sent']])
  })
})
