import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { createDispatcher } from '../../src/runs/dispatch.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('what is handed out', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    type Crowd = { routine: string; count: number; more?: Record<string, string | number> }
    /** Owed runs as `<routine>-<n>`, a second apart, in the order they are written here. */
    async function owe(...crowds: Crowd[]): Promise<void> {
      for (const [index, { routine, count, more = {} }] of crowds.entries()) {
        const names = Object.keys(more).map((name) => `, ${name}`)
        const values = Object.values(more).map((value) => `, ${typeof value === 'number' ? value : `'${value}'`}`)
        await open.rows(`
          insert into runs (id, routine, hash, file, trigger, trigger_key, inputs, subject, engine, created_at, not_before${names.join('')})
          select '${routine}-' || n, '${routine}', 'h', '/a.md', 'api', 'k' || n, '{}', 'main', 'command',
            clock() - interval '1 day' + interval '1 hour' * ${index} + interval '1 millisecond' * n, clock() - interval '1 hour'${values.join('')}
          from generate_series(1, ${count}) n`)
      }
    }
    type Most = { slots?: number; repository?: number; sender?: number; mayTakeOver?: boolean }
    async function handedOut({ slots = 9, repository, sender, mayTakeOver = true }: Most = {}): Promise<string[]> {
      const handed: string[] = []
      const dispatcher = createDispatcher({
        ledger: open.ledger,
        enqueue: (run) => Promise.resolve(void handed.push(run)),
        mayEnqueue: () => true,
        mayTakeOver: () => mayTakeOver,
        slots: () => Promise.resolve(slots),
        limits: { repository: repository ?? null, sender: sender ?? null },
        unclaimedMs: 30_000,
        atWork: () => [],
        log: createLog('error'),
      })
      await dispatcher.wake()
      return handed.toSorted()
    }
    const free = { parallel: 1000, concurrency_key: 'all' }

    test('no more than the key allows, and the rest of the slots goes to others', async () => {
      await owe({ routine: 'crowd', count: 500, more: { parallel: 3 } }, { routine: 'late', count: 2 })
      expect(await handedOut()).toEqual(['crowd-1', 'crowd-2', 'crowd-3', 'late-1'])
      expect(await handedOut()).toEqual([])
    })

    test('runs of a routine with different keys share its own limit', async () => {
      for (const key of ['7', '8', '9'])
        await owe({ routine: `r${key}`, count: 1, more: { routine_limit: 2, concurrency_key: key } })
      await open.rows(`update runs set routine = 'shared'`)
      expect((await handedOut()).length).toBe(2)
    })

    test('one repository and one sender wait, the others do not', async () => {
      await owe(
        { routine: 'a', count: 200, more: { ...free, repository: 'acme/shop', sender: 'ada' } },
        { routine: 'b', count: 200, more: { ...free, repository: 'Acme/Shop', sender: 'bob' } },
        { routine: 'c', count: 200, more: { ...free, repository: 'acme/other', sender: 'ada' } },
        { routine: 'd', count: 1 },
      )
      const handed = await handedOut({ slots: 20, repository: 3, sender: 4 })
      const of = (routine: string) => handed.filter((run) => run.startsWith(`${routine}-`)).length
      expect([of('a') + of('b'), of('a') + of('c') <= 4, of('d')]).toEqual([3, true, 1])
      // Work conserving: who is left waits for a limit that is reached.
      expect(of('a') + of('c') === 4 || of('c') === 3).toBe(true)
    })

    test('a crowd that came first keeps nobody waiting for longer than a turn', async () => {
      await owe(
        { routine: 'crowd', count: 1000, more: free },
        { routine: 'late', count: 1 },
        { routine: 'last', count: 1 },
      )
      expect(await handedOut({ slots: 3 })).toEqual(['crowd-1', 'last-1', 'late-1'])
      await open.rows(
        `update runs set ended_at = clock(), state = 'unchanged', dispatched_at = null where id = 'crowd-1'`,
      )
      await owe({ routine: 'newcomer', count: 1 })
      expect(await handedOut({ slots: 4 })).toEqual(['crowd-2', 'newcomer-1'])
    })

    test('a run whose worker was lost keeps its place until it goes on', async () => {
      await owe({ routine: 'a', count: 3 })
      await open.rows(
        `update runs set state = 'working', lease_owner = 'w', lease_until = clock() - interval '1 second' where id = 'a-1'`,
      )
      expect(await handedOut({ mayTakeOver: false })).toEqual([])
      expect(await handedOut()).toEqual(['a-1'])
      expect(await handedOut()).toEqual([])
    })

    test('one of 10,000 is found in a moment', async () => {
      await owe(
        { routine: 'crowd', count: 5000, more: { parallel: 2, repository: 'acme/shop' } },
        { routine: 'wide', count: 5000, more: { ...free, repository: 'acme/shop' } },
      )
      await open.rows(
        `update runs set routine = routine || (n % 500) from (select id as i, row_number() over () n from runs where routine = 'wide') w where id = i`,
      )
      await open.rows('analyze runs')
      const startedAt = performance.now()
      expect((await handedOut({ slots: 8, repository: 4 })).length).toBe(4)
      // 0.06 s on PostgreSQL, 0.3 s in the embedded store; a plan that looks at each run for each run takes minutes.
      expect(performance.now() - startedAt).toBeLessThan(5000)
    })
  })
})
