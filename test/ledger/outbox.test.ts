import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { messageOf } from '../../src/errors.ts'
import type { NewMessage } from '../../src/ledger/outbox.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import type { Inputs } from '../../src/routines/routine.ts'
import { fire, type Occasion } from '../../src/runs/fire.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('the outbox', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const holdMs = 30_000
    const message = (id: string, url = 'https://a.example/hook'): NewMessage => ({
      id,
      url,
      kind: 'run.ended',
      body: { id },
    })
    const take = async (more: Partial<Parameters<typeof open.ledger.outbox.take>[0]> = {}) => {
      const wanted = { addresses: 10, each: 1, holdMs, kinds: ['run.ended', 'alert.raised'] as const, besides: [] }
      return (await open.ledger.outbox.take({ ...wanted, ...more })).map(({ id }) => id).toSorted()
    }
    async function later(ms: number): Promise<void> {
      const now = await open.ledger.now()
      await open.setClock(new Date(now.getTime() + ms))
    }

    test('the same message put twice is one, as it was put first', async () => {
      const { outbox } = open.ledger
      await outbox.put(message('a'), message('b'))
      await outbox.put({ ...message('a'), body: { other: true } })
      await outbox.put()
      const rows = await outbox.list({ limit: 10 })
      expect(rows.map(({ id, body }) => ({ id, body }))).toEqual([
        { id: 'b', body: { id: 'b' } },
        { id: 'a', body: { id: 'a' } },
      ])
    })

    test('what is put in a transaction that fails was never put', async () => {
      const failing = open.ledger.transaction(async (tx) => {
        await tx.outbox.put(message('a'))
        throw new Error('the cause did not happen')
      })
      await expect(failing).rejects.toThrow('the cause did not happen')
      expect(await take()).toEqual([])
    })

    test('one an address is given out, to one taker, and again when its time is over', async () => {
      await open.ledger.outbox.put(
        message('a1'),
        message('a2', 'https://a.example/other?x=1'),
        message('b1', 'https://b.example:8443/hook'),
      )
      expect(await take()).toEqual(['a1', 'b1'])
      expect(await take({ besides: ['https://a.example'] })).toEqual([])
      expect(await take()).toEqual(['a2'])
      expect(await take()).toEqual([])
      await later(holdMs + 1)
      expect(await take({ besides: ['https://a.example'] })).toEqual(['b1'])
      expect((await open.ledger.outbox.list({ limit: 10 })).map(({ id, tries }) => [id, tries]).toSorted()).toEqual([
        ['a1', 1],
        ['a2', 1],
        ['b1', 2],
      ])
    })

    test('a crowd for one address does not hide the others, and no address has more than asked for', async () => {
      await open.ledger.outbox.put(...Array.from({ length: 100 }, (_, index) => message(`crowd ${index}`)))
      await open.ledger.outbox.put(message('late', 'https://b.example/'))
      expect((await take()).length).toBe(1)
      expect(await take({ besides: ['https://a.example'] })).toEqual(['late'])
      expect((await take({ addresses: 0 })).length).toBe(0)
    })

    test('several an address, the oldest of each, and no more addresses than asked for', async () => {
      const at = (host: string) => [1, 2, 3].map((n) => message(`${host}${n}`, `https://${host}.example/${n}`))
      for (const one of [...at('a'), ...at('b'), ...at('c')]) await open.ledger.outbox.put(one)
      expect(await take({ addresses: 2, each: 2 })).toEqual(['a1', 'a2', 'b1', 'b2'])
      expect(await take({ addresses: 2, each: 5, besides: ['https://a.example'] })).toEqual(['b3', 'c1', 'c2', 'c3'])
    })

    test('the address that waits longest comes first, whatever it is called', async () => {
      for (const host of ['z', 'a', 'b']) await open.ledger.outbox.put(message(host, `https://${host}.example/`))
      expect(await take({ addresses: 1 })).toEqual(['z'])
      await open.ledger.outbox.later('z', { error: 'timeout', inMs: 0 })
      expect(await take({ addresses: 2 })).toEqual(['a', 'b'])
    })

    test('an alert waits behind no crowd of callbacks, at its own address or at others', async () => {
      const crowd = (host: string) =>
        Array.from({ length: 70 }, (_, n) => message(`${host}${n}`, `https://${host}.example/`))
      await open.ledger.outbox.put(...crowd('a'), ...crowd('b'))
      await open.ledger.outbox.put({ ...message('alert', 'https://b.example/alerts'), kind: 'alert.raised' })
      expect(await take({ addresses: 1 })).toEqual(['alert'])
    })

    test('kinds that were not asked for stay', async () => {
      await open.ledger.outbox.put({ ...message('alert'), kind: 'alert.raised' }, message('end', 'https://b.example/'))
      expect(await take({ kinds: ['alert.raised'] })).toEqual(['alert'])
    })

    test('sent and given up are final; later comes back in time; untried was never a try', async () => {
      const { outbox } = open.ledger
      await outbox.put(...['sent', 'up', 'later', 'untried'].map((id) => message(id, `https://${id}.example/`)))
      await take()
      await outbox.sent('sent')
      await outbox.giveUp('up', 'gone')
      await outbox.later('later', { error: 'answered 500', inMs: 5000 })
      await outbox.untried('untried')
      expect(await take()).toEqual(['untried'])
      await later(5001)
      expect(await take()).toEqual(['later'])
      await outbox.giveUp('sent', 'too late')
      const rows = new Map((await outbox.list({ limit: 10 })).map((row) => [row.id, row]))
      expect(rows.get('sent')).toMatchObject({ tries: 1, error: null, givenUpAt: null })
      expect(rows.get('up')).toMatchObject({ tries: 1, error: 'gone', sentAt: null })
      expect(rows.get('later')).toMatchObject({ tries: 2, error: 'answered 500' })
      expect(rows.get('untried')).toMatchObject({ tries: 1 })
      const ids = async (state: 'owed' | 'sent' | 'given_up') =>
        (await outbox.list({ state, limit: 10 })).map(({ id }) => id)
      expect([await ids('sent'), await ids('given_up'), (await ids('owed')).toSorted()]).toEqual([
        ['sent'],
        ['up'],
        ['later', 'untried'],
      ])
    })

    test('a person may have one sent again that was given up, and only such a one', async () => {
      const { outbox } = open.ledger
      await outbox.put(message('a'), message('b', 'https://b.example/'))
      await take()
      await outbox.giveUp('a', 'gone')
      expect([await outbox.again('a'), await outbox.again('b'), await outbox.again('none')]).toEqual([
        true,
        false,
        false,
      ])
      expect(await take()).toEqual(['a'])
    })

    test('what is long over is forgotten, what is owed is not', async () => {
      const { outbox } = open.ledger
      await outbox.put(...['sent', 'up', 'owed'].map((id) => message(id, `https://${id}.example/`)))
      await outbox.sent('sent')
      await outbox.giveUp('up', 'gone')
      await later(1000)
      expect(await outbox.prune(2000)).toBe(0)
      await later(1001)
      expect(await outbox.prune(2000)).toBe(2)
      expect((await outbox.list({ limit: 10 })).map(({ id }) => id)).toEqual(['owed'])
    })

    describe('of every ending of a run', () => {
      const leaseMs = 30_000
      const url = 'https://a.example/ended'
      const text = '---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\n---\n'
      const occasion = (key: string, more: Partial<Occasion> = {}): Occasion => ({
        routine: parseOrRefuse('/routines/a.md', text, { defaultEngine: 'command', checkSchedule }),
        trigger: 'api',
        key: `api:${key}`,
        inputs: {},
        by: 'test',
        callback: url,
        ...more,
      })
      const fireOnce = (wanted: Occasion) => open.ledger.transaction((tx) => fire(tx, wanted))
      async function claimed(run: string) {
        const [handed] = await open.ledger.owed.markDispatched([run])
        const job = { runId: run, attempt: handed!.attempt }
        return open.ledger.hold((await open.ledger.transaction((tx) => tx.owed.claim(job, 'w', leaseMs)))!, { leaseMs })
      }
      const messages = async () =>
        (await open.ledger.outbox.list({ limit: 10 })).map(({ id, kind, url, body }) => ({ id, kind, url, body }))

      test('everybody who asked is told once, those who joined, too; who did not ask is not', async () => {
        const first = await fireOnce(occasion('one'))
        const joined = await fireOnce(occasion('two', { callback: 'https://b.example/' }))
        const { callback: _, ...silent } = occasion('three')
        await fireOnce(silent)
        expect([joined.run, joined.firing.outcome]).toEqual([first.run, 'coalesced'])
        expect(await messages()).toEqual([])
        const held = await claimed(first.run!)
        await held.end({ state: 'failed', reason: 'agent_exit', message: 'it ended with code 3' }, { costUsd: 0.25 })
        const told = (firing: string, to: string) => ({
          id: `run_ended_${firing}`,
          kind: 'run.ended',
          url: to,
          body: expect.objectContaining({
            firing,
            run: first.run,
            routine: 'a',
            state: 'failed',
            reason: 'agent_exit',
            message: 'it ended with code 3',
            costUsd: 0.25,
            pullRequest: null,
            endedAt: expect.stringMatching(/Z$/),
          }),
        })
        expect(await messages()).toEqual([told(joined.firing.id, 'https://b.example/'), told(first.firing.id, url)])
      })

      test('one that rests is told of when it was decided on', async () => {
        const { run } = await fireOnce(occasion('one'))
        await (await claimed(run!)).end({ state: 'needs_approval', reason: 'policy', message: null })
        expect(await messages()).toEqual([])
        await open.ledger.runs.endUnheld(run!, { state: 'cancelled', reason: 'denied', message: 'no' })
        expect(await messages()).toMatchObject([{ body: { state: 'cancelled', reason: 'denied' } }])
      })

      test('one whose place was taken, and one that had ended when somebody joined', async () => {
        const first = await fireOnce(occasion('one'))
        const other = { ...occasion('two'), repository: '/elsewhere' }
        await fireOnce(other)
        expect(await messages()).toMatchObject([{ body: { run: first.run, state: 'skipped', reason: 'superseded' } }])
        await open.ledger.callbacks.add({ run: first.run!, firing: 'late', url: 'https://late.example/' })
        expect((await messages())[0]).toMatchObject({
          url: 'https://late.example/',
          body: { firing: 'late', state: 'skipped' },
        })
      })

      test('who gave an event hears of the run that took it along', async () => {
        const first = await fireOnce(occasion('one', { payload: { text: 'look' } }))
        const { callback: _, ...silent } = occasion('two', { repository: '/elsewhere' })
        const second = await fireOnce(silent)
        expect([(await open.ledger.runs.find(first.run!))?.state, await messages()]).toEqual(['skipped', []])
        await (await claimed(second.run!)).end({ state: 'unchanged', reason: null, message: null })
        expect(await messages()).toMatchObject([
          { id: `run_ended_${first.firing.id}`, body: { run: second.run, state: 'unchanged' } },
        ])
      })

      test('an ending that was refused is told to nobody', async () => {
        const { run } = await fireOnce(occasion('one'))
        const held = await claimed(run!)
        await open.ledger.owed.expireLeases()
        await claimed(run!)
        await expect(held.end({ state: 'failed', reason: 'internal', message: null })).rejects.toThrow('fence')
        expect(await messages()).toEqual([])
      })

      test('the same key is the same request: what is known stays, what differs is named', async () => {
        const first = await fireOnce(occasion('one', { payload: { deep: { n: 1.5, list: [1, null, 'ä'] } } }))
        const again = (more: Partial<Occasion>) =>
          fireOnce(occasion('one', { payload: { deep: { list: [1, null, 'ä'], n: 1.5 } }, ...more }))
        expect(await again({})).toMatchObject({ run: first.run, fresh: false })
        const refusals = [{ payload: { deep: {} } }, { callback: 'https://b.example/' }, { inputs: { a: 1 } }].map(
          (more) => again(more).catch(messageOf),
        )
        expect(await Promise.all(refusals)).toEqual([
          expect.stringContaining('another payload'),
          expect.stringContaining('another callback'),
          expect.stringContaining('other inputs'),
        ])
      })

      test('what a caller left out is what the file said then, unless the file is the same', async () => {
        const asked = (inputs: Inputs, given: string[]) => fireOnce(occasion('one', { inputs, given }))
        const apply = (hash: string) => open.ledger.routines.apply([{ name: 'a', hash, file: '/routines/a.md' }])
        await open.setClock('2026-11-21T16:00:00Z')
        await apply('before')
        const first = await asked({ scope: 'api', depth: 1 }, ['scope'])
        await expect(asked({ scope: 'api', depth: 2 }, ['scope'])).rejects.toThrow('other inputs')
        await open.setClock('2026-11-21T17:00:00Z')
        await apply('after')
        for (const now of [{ scope: 'api', depth: 2 }, { scope: 'api', depth: 1, more: true }, { scope: 'api' }])
          expect(await asked(now, ['scope'])).toMatchObject({ run: first.run, fresh: false })
        await expect(asked({ scope: 'api', depth: 2 }, ['scope', 'depth'])).rejects.toThrow('other inputs')
        await expect(asked({ scope: 'ui', depth: 1 }, ['scope'])).rejects.toThrow('other inputs')
      })

      test('an occasion that no caller named is the same whatever the file says by now', async () => {
        const slot = (inputs: Inputs) =>
          fireOnce(occasion('', { trigger: 'backfill', key: 'backfill:2026-11-21T16:00:00.000Z', inputs }))
        const first = await slot({ scope: 'api' })
        expect(await slot({ scope: 'ui' })).toMatchObject({ run: first.run, fresh: false })
      })
    })
  })
})
