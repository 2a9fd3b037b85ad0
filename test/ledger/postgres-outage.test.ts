import { setTimeout as elapsed } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { behind, FenceLost, LedgerUnreachable } from '../../src/errors.ts'
import { createSignIn } from '../../src/http/access/auth.ts'
import type { Face } from '../../src/http/face.ts'
import { createNews } from '../../src/http/news.ts'
import { createApp } from '../../src/http/server.ts'
import { createLog } from '../../src/log.ts'
import { createLedger, type Ledger } from '../../src/ledger/ledger.ts'
import { openListener } from '../../src/ledger/postgres/listener.ts'
import type { Run } from '../../src/ledger/schema.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { createDispatcher } from '../../src/runs/dispatch.ts'
import { fire } from '../../src/runs/fire.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { openLooseWire, type LooseWire } from '../support/loose-wire.ts'
import { openPostgresLedger, postgresNeed, type PostgresLedger } from '../support/open-ledger.ts'

const leaseMs = 30_000
const log = createLog('silent')

describe.skipIf(postgresNeed.skip)(`a PostgreSQL that goes away${postgresNeed.note}`, () => {
  let open: PostgresLedger
  let wire: LooseWire
  let wired: Store
  let ledger: Ledger
  beforeAll(async () => {
    open = await openPostgresLedger()
    wire = await openLooseWire(open.postgres.port)
    wired = await openStore({ databaseUrl: open.databaseUrl.replace(`:${open.postgres.port}`, `:${wire.port}`), log })
    ledger = createLedger(wired)
  })
  afterAll(async () => {
    await wired.close()
    wire[Symbol.dispose]()
    await open[Symbol.asyncDispose]()
  })
  beforeEach(() => open.clear())

  const kindOf = (error: unknown) => (behind(error) instanceof LedgerUnreachable ? 'unreachable' : error)
  const kinds = async (asked: Promise<unknown>[]) =>
    new Set((await Promise.allSettled(asked)).map((one) => (one.status === 'rejected' ? kindOf(one.reason) : 'done')))
  const twenty = <T>(act: (index: number) => Promise<T>) => Array.from({ length: 20 }, (_, index) => act(index))
  const note = (subject: string) => ledger.transaction((tx) => tx.events.audit('ada', 'noted', subject))
  const noted = () => open.rows('select subject from audit')
  async function claimed(): Promise<Run> {
    const routine = parseOrRefuse(
      '/routines/a.md',
      `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\n---\n`,
      {
        defaultEngine: 'command',
        checkSchedule,
      },
    )
    const key = crypto.randomUUID()
    const { run } = await open.ledger.transaction((tx) =>
      fire(tx, { routine, trigger: 'api', key, inputs: {}, by: 'test', alone: true }),
    )
    const [handed] = await open.ledger.owed.markDispatched([run!])
    return (await open.ledger.transaction((tx) =>
      tx.owed.claim({ runId: run!, attempt: handed!.attempt }, 'w', leaseMs),
    ))!
  }

  test('is said as that by everything that asks, and is back by itself', async () => {
    await note('before')
    await open.postgres.stop('immediate')
    expect(await kinds([ledger.now(), ledger.runs.list(), note('lost'), ledger.announce('x')])).toEqual(
      new Set(['unreachable']),
    )
    expect(wired.health()).toBe('degraded')
    await open.postgres.start()
    await expect.poll(() => wired.health(), { timeout: 10_000 }).toBe('ok')
    expect(await kinds(twenty((index) => note(`after ${index}`)))).toEqual(new Set(['done']))
    expect((await noted()).length).toBe(21)
  })

  test('is 503 to whoever asks over HTTP, with when to ask again, and the page is a page', async () => {
    const signIn = createSignIn('the token')
    const face: Partial<Face> = {
      ledger,
      signIn,
      news: createNews(),
      log,
      zone: 'UTC',
      allowedHosts: () => new Set(['here:1']),
      health: () => ({ state: wired.health(), faults: [] }),
      explainWaits: (runs) => Promise.resolve([...runs]),
    }
    const app = createApp(face as Face, new Map())
    const ask = (path: string) => app.request(path, { headers: { host: 'here:1', authorization: 'Bearer the token' } })
    const printed = vi.spyOn(console, 'error').mockReturnValue()
    const stream = await ask('/live')
    await open.postgres.stop('fast')
    face.news!.tell('a run', 'output')
    // It ends, and the reader comes back; nothing is printed beside the log.
    await stream.text()
    expect(printed.mock.calls).toEqual([])
    printed.mockRestore()
    const answers = [await ask('/v1/runs'), await ask('/'), await ask('/health')]
    expect(answers.map((answer) => answer.status)).toEqual([503, 503, 503])
    expect(answers.slice(0, 2).map((answer) => answer.headers.get('retry-after'))).toEqual(['5', '5'])
    expect(await answers[0]!.json()).toMatchObject({ title: 'ledger_unreachable', status: 503 })
    expect(await answers[1]!.text()).toContain('The ledger cannot be reached at the moment')
    await open.postgres.start()
    await expect.poll(() => wired.health(), { timeout: 10_000 }).toBe('ok')
    expect((await ask('/v1/runs')).status).toBe(200)
  })

  test('in the middle of many transactions ends each with one answer, and leaves no connection behind', async () => {
    const begun = Promise.withResolvers<void>()
    const killed = Promise.withResolvers<void>()
    const answers = kinds(
      twenty((index) =>
        ledger.transaction(async (tx) => {
          await tx.events.audit('ada', 'noted', `${index}`)
          begun.resolve()
          await killed.promise
          await tx.events.audit('ada', 'noted', `${index} again`)
        }),
      ),
    )
    await begun.promise
    await open.postgres.stop('immediate')
    killed.resolve()
    expect(await answers).toEqual(new Set(['unreachable']))
    await open.postgres.start()
    await expect.poll(() => wired.health(), { timeout: 10_000 }).toBe('ok')
    expect(await noted()).toEqual([])
    expect(await kinds(twenty((index) => note(`after ${index}`)))).toEqual(new Set(['done']))
  })

  test('for one connection only, is not noticed by the next statement', async () => {
    const cut = ledger.transaction(async (tx) => {
      await tx.events.audit('ada', 'noted', 'lost')
      await open.rows(`select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'`)
      await tx.events.audit('ada', 'noted', 'lost, too')
    })
    expect(kindOf(await cut.catch((error: unknown) => error))).toBe('unreachable')
    await note('kept')
    expect(await noted()).toEqual([{ subject: 'kept' }])
  })

  test('is told to whoever listens, once it is back', async () => {
    const heard: (string | undefined)[] = []
    const stop = await ledger.watch((run, kind) => void (kind === 'state' && heard.push(run)))
    await open.postgres.stop('fast')
    await open.postgres.start()
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([undefined])
    await open.ledger.transaction((tx) => tx.events.tell('a run', 'note', {}))
    await expect.poll(() => heard).toEqual([undefined, 'a run'])
    await stop()
  })

  test('without a word is found out by asking', async () => {
    const listener = await openListener({
      databaseUrl: open.databaseUrl.replace(`:${open.postgres.port}`, `:${wire.port}`),
      log,
      askEveryMs: 50,
    })
    const heard: (string | undefined)[] = []
    await listener.listen('news', (payload) => heard.push(payload))
    wire.mute()
    await expect.poll(() => heard, { timeout: 15_000 }).toEqual([undefined])
    await open.store.notify('news', 'fresh')
    await expect.poll(() => heard).toEqual([undefined, 'fresh'])
    await listener.close()
  })

  describe('while a worker holds a run', () => {
    const told = async (run: string) => (await open.ledger.events.last(run, 100)).map((event) => event.kind)
    const outcomes = async (run: string) => (await open.ledger.runs.attemptsOf(run)).map((attempt) => attempt.outcome)

    test('delays its writes, and fails none', async () => {
      const run = await claimed()
      const held = ledger.hold(run, { leaseMs })
      await open.postgres.stop('immediate')
      const writes = Promise.all([
        held.renew(),
        held.tell({ kind: 'note', data: { text: 'during' } }),
        held.record({ title: 'Tidied' }),
        held.storeTranscript({ bytes: 1, sha256: 'x', tail: 'y' }),
      ])
      const state = { done: false }
      void writes.then(() => (state.done = true))
      expect(kindOf(await ledger.now().catch((error: unknown) => error))).toBe('unreachable')
      expect(state.done).toBe(false)
      await open.postgres.start()
      await writes
      expect(await open.ledger.runs.find(run.id)).toMatchObject({ title: 'Tidied', state: 'queued' })
      expect(await told(run.id)).toEqual(['note'])
    })

    test('for longer than its lease, the run is still its own: nobody could take it', async () => {
      const run = await claimed()
      const held = ledger.hold(run, { leaseMs: 200 })
      await open.postgres.stop('immediate')
      const state = { done: false }
      const written = held.record({ title: 'Tidied' }).then(() => (state.done = true))
      expect(kindOf(await ledger.now().catch((error: unknown) => error))).toBe('unreachable')
      await elapsed(600)
      expect(state.done).toBe(false)
      await open.postgres.start()
      await written
      expect(await open.ledger.runs.find(run.id)).toMatchObject({ title: 'Tidied', fence: run.fence, losses: 0 })
    })

    test('for longer than is waited for, the write says so; told to stop, already after the lease', async () => {
      const [first, second] = [await claimed(), await claimed()]
      const stop = new AbortController()
      const held = [
        ledger.hold(first, { leaseMs: 200, patienceMs: 600 }),
        ledger.hold(second, { leaseMs: 200, stop: stop.signal }),
      ]
      await open.postgres.stop('immediate')
      const started = performance.now()
      const answers = held.map((one) => one.renew().catch(kindOf))
      expect(await answers[0]).toBe('unreachable')
      expect(performance.now() - started).toBeGreaterThan(400)
      stop.abort()
      expect(await answers[1]).toBe('unreachable')
      expect(performance.now() - started).toBeLessThan(5000)
      await open.postgres.start()
      await expect.poll(() => wired.health(), { timeout: 10_000 }).toBe('ok')
    })

    test('and a renewal that nobody answers is asked again on another line, before the lease is over', async () => {
      const run = await claimed()
      const held = ledger.hold(run, { leaseMs: 3000 })
      await held.renew()
      wire.mute()
      const started = performance.now()
      await held.renew()
      expect(performance.now() - started).toBeLessThan(2900)
    })

    test('that it alone cannot hear, and another one takes the run over: its first answer says so', async () => {
      const run = await claimed()
      const held = ledger.hold(run, { leaseMs: 3000 })
      await held.renew()
      wire.mute()
      await open.rows(`update runs set lease_until = clock()`)
      const [handed] = await open.ledger.owed.markDispatched([run.id])
      const job = { runId: run.id, attempt: handed!.attempt }
      expect(await open.ledger.transaction((tx) => tx.owed.claim(job, 'another', leaseMs))).toMatchObject({ fence: 2 })
      expect(await held.renew().catch((error: unknown) => error)).toBeInstanceOf(FenceLost)
    })

    test('a renewal that comes after the release does not hold what nobody has', async () => {
      const run = await claimed()
      const held = ledger.hold(run, { leaseMs })
      await held.release({ outcome: 'released', error: null, delayMs: 0 })
      expect(await held.renew().catch((error: unknown) => error)).toBeInstanceOf(FenceLost)
      expect((await open.ledger.runs.find(run.id))!.leaseUntil).toBeNull()
    })

    test('whoever hands out leaves lapsed leases alone for a moment: their owners are about to say that they live', async () => {
      const run = await claimed()
      await open.rows(`update runs set lease_until = clock() - interval '1 minute'`)
      const handed: string[] = []
      const look = (settledMs: number) =>
        createDispatcher({
          ledger,
          enqueue: async (id) => void handed.push(await Promise.resolve(id)),
          mayEnqueue: () => true,
          mayTakeOver: () => wired.reachedForMs() >= settledMs,
          slots: () => Promise.resolve(5),
          limits: { repository: null, sender: null },
          unclaimedMs: leaseMs,
          atWork: () => [],
          log,
        }).wake()
      await open.postgres.stop('immediate')
      await expect.poll(() => wired.reachedForMs()).toBe(0)
      await open.postgres.start()
      await expect.poll(() => wired.health(), { timeout: 10_000 }).toBe('ok')
      expect(wired.reachedForMs()).toBeLessThan(20_000)
      await look(20_000)
      expect(handed).toEqual([])
      await look(0)
      expect(handed).toEqual([run.id])
    })

    test.each([
      ['a line of its story', 'a line', [null]],
      ['its end', 'end', ['published']],
      ['its release', 'release', ['retry']],
    ] as const)('takes the answer to %s with it, which is then done once', async (_, what, attempts) => {
      const run = await claimed()
      const held = ledger.hold(run, { leaseMs })
      const lost = wire.loseAnswerTo('commit\0')
      if (what === 'a line') await held.tell({ kind: 'note', data: {} })
      else if (what === 'end') await held.end({ state: 'published', reason: null, message: null })
      else await held.release({ outcome: 'retry', error: 'away', delayMs: 0 })
      await lost
      expect(await told(run.id)).toHaveLength(1)
      expect(await outcomes(run.id)).toEqual(attempts)
      expect((await open.ledger.runs.find(run.id))!.losses).toBe(what === 'release' ? 1 : 0)
    })
  })

  test('and stays away does not keep a process from ending', async () => {
    const store = await open.openAnother()
    await open.postgres.stop('immediate')
    const started = performance.now()
    await store.close()
    await store.close()
    expect(performance.now() - started).toBeLessThan(4000)
    await expect(store.db.execute('select 1')).rejects.toThrow()
    await open.postgres.start()
    await expect.poll(() => wired.health(), { timeout: 10_000 }).toBe('ok')
  })
})
