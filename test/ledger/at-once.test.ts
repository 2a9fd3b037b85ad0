import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { createLedger, type Ledger } from '../../src/ledger/ledger.ts'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import type { Routine } from '../../src/routines/routine.ts'
import { createActs } from '../../src/runs/acts.ts'
import { createDispatcher } from '../../src/runs/dispatch.ts'
import { fire, type Occasion } from '../../src/runs/fire.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { openPostgresLedger, postgresNeed, type PostgresLedger } from '../support/open-ledger.ts'
import { tickAll } from '../support/tick-all.ts'

// What one session hides: twenty clients of two processes' connections, at the same moment, on READ COMMITTED.
describe.skipIf(postgresNeed.skip)(`twenty at once on PostgreSQL${postgresNeed.note}`, () => {
  let open: PostgresLedger
  let another: Store
  let ledgers: [Ledger, Ledger]
  beforeAll(async () => {
    open = await openPostgresLedger()
    another = await open.openAnother()
    ledgers = [open.ledger, createLedger(another)]
  })
  afterAll(async () => {
    await another.close()
    await open[Symbol.asyncDispose]()
  })
  beforeEach(() => open.clear())

  const atOnce = <T>(act: (ledger: Ledger, index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: 20 }, (_, index) => act(ledgers[index % 2]!, index)))
  const leaseMs = 30_000
  const routine = (name: string, schedule = '', note = ''): Routine =>
    parseOrRefuse(
      `/routines/${name}.md`,
      `---\nrepository: ./shop\n${schedule}engine: { name: command, command: ["true"] }\ninputs: { scope: { type: string, default: all } }\n---\n${note}\n`,
      { defaultEngine: 'command', checkSchedule },
    )
  const occasion = (name: string, key: string, more: Partial<Occasion> = {}): Occasion => ({
    routine: routine(name),
    trigger: 'api',
    key,
    inputs: {},
    by: 'test',
    ...more,
  })
  const fireOn = (ledger: Ledger, wanted: Occasion) => ledger.transaction((tx) => fire(tx, wanted))
  const newRun = async (name: string, more: Partial<Occasion> = {}, key = 'one') =>
    (await fireOn(open.ledger, occasion(name, key, more))).run!
  const statesOf = async () => (await open.ledger.runs.list({ limit: 200 })).map((run) => run.state).toSorted()
  const actsOn = (ledger: Ledger) =>
    createActs({
      ledger,
      stopLocal: () => {},
      wake: () => Promise.resolve(),
      routineOf: ({ file, source }) => parseOrRefuse(file, source, { defaultEngine: 'command', checkSchedule }),
    })
  const settled = async <T>(all: Promise<PromiseSettledResult<T>[]>) =>
    (await all).map((one) => (one.status === 'fulfilled' ? 'done' : String(one.reason)))

  test('the same occasion is one firing and one run, and only one caller is told that it is new', async () => {
    const fired = await atOnce((ledger) => fireOn(ledger, occasion('a', 'same')))
    expect(fired.filter((one) => one.fresh).length).toBe(1)
    expect(new Set(fired.map((one) => one.run)).size).toBe(1)
    expect(await statesOf()).toEqual(['queued'])
  })

  test('different occasions that ask for the same are one run that waits', async () => {
    const fired = await atOnce((ledger, index) => fireOn(ledger, occasion('a', `key ${index}`)))
    expect(fired.map((one) => one.firing.outcome).toSorted()).toEqual(
      ['accepted', ...Array(19).fill('coalesced')].toSorted(),
    )
    expect(await statesOf()).toEqual(['queued'])
  })

  test('different occasions that ask for different things leave one that waits, the others say which took their place', async () => {
    await atOnce((ledger, index) =>
      fireOn(ledger, occasion('a', `key ${index}`, { routine: routine('a', '', `text ${index}`) })),
    )
    expect(await statesOf()).toEqual(['queued', ...Array(19).fill('skipped')])
  })

  test('the same deliveries that come to two processes in another order are taken once each', async () => {
    const orders = ['toSorted', 'toReversed'] as const
    for (let round = 0; round < 3; round++) {
      const rows = Array.from({ length: 40 }, (_, index) => ({
        source: 'sentry',
        key: `${round} ${index}`,
        event: 'issue',
        headers: {},
        body: Buffer.from('{}'),
      }))
      const received = await atOnce((ledger, index) => ledger.deliveries.receiveAll(rows[orders[index % 2]!]()))
      expect(received.flat().filter(({ fresh }) => fresh).length).toBe(40)
      expect(received[1]!.map(({ id }) => id)).toEqual(received[0]!.map(({ id }) => id).toReversed())
    }
  })

  test('of approve, deny and cancel one decides, and the others are told', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await newRun(`a${round}`)
      await open.rows(`update runs set state = 'needs_approval' where id = '${id}'`)
      const verbs = ['approve', 'deny'] as const
      const answers = await settled(
        Promise.allSettled(
          Array.from({ length: 20 }, (_, index) => actsOn(ledgers[index % 2]!)[verbs[(index >> 1) % 2]!](id, 'ada')),
        ),
      )
      expect(answers.filter((answer) => answer === 'done').length).toBe(1)
      const audited = await open.rows<{ action: string }>(`select action from audit where subject = '${id}'`)
      const run = await open.ledger.runs.find(id)
      expect([audited.map((row) => row.action), run!.state]).toEqual(
        run!.state === 'publishing' ? [['approve'], 'publishing'] : [['deny'], 'cancelled'],
      )
      const told = await open.ledger.events.last(id, 100)
      expect(told.filter((event) => event.kind === 'state').length).toBe(1)
    }
  })

  test('a cancel is done once, and the run ends once', async () => {
    const id = await newRun('a')
    const answers = await settled(
      Promise.allSettled(Array.from({ length: 20 }, (_, index) => actsOn(ledgers[index % 2]!).cancel(id, 'ada'))),
    )
    expect(answers.filter((answer) => answer === 'done').length).toBe(1)
    expect((await open.ledger.events.last(id, 100)).length).toBe(1)
  })

  test('retries are counted, or joined, and never the same one twice', async () => {
    const id = await newRun('a')
    await open.ledger.runs.endUnheld(id, { state: 'failed', reason: 'internal', message: '' })
    const fired = await atOnce((ledger) => actsOn(ledger).retry(id, 'ada'))
    expect(new Set(fired.map((one) => one.firing.triggerKey)).size).toBe(20)
    expect(new Set(fired.map((one) => one.run)).size).toBe(1)
    expect(await statesOf()).toEqual(['failed', 'queued'])
  })

  const dispatchers = (slots: number, handed: string[]) =>
    Array.from({ length: 20 }, (_, index) =>
      createDispatcher({
        ledger: ledgers[index % 2]!,
        enqueue: async (run, attempt) => void handed.push(`${run} ${attempt}`),
        mayEnqueue: () => true,
        mayTakeOver: () => true,
        slots: () => Promise.resolve(slots),
        limits: { repository: null, sender: null },
        unclaimedMs: leaseMs,
        atWork: () => [],
        log: createLog('error'),
      }),
    )

  test('dispatchers together hand out no more than the limit', async () => {
    for (let index = 0; index < 12; index++) await newRun(`many-${index}`)
    const handed: string[] = []
    const all = dispatchers(4, handed)
    await Promise.all(all.map((one) => one.wake()))
    expect(handed.length).toBe(4)
    expect((await open.ledger.owed.holders(leaseMs)).length).toBe(4)
  })

  test('dispatchers together hand out one run of a routine, and each run once', async () => {
    for (const key of ['1', '2', '3']) await newRun('a', { alone: true }, key)
    const publishing = await newRun('b')
    await open.rows(`update runs set state = 'publishing', approved_by = 'ada' where id = '${publishing}'`)
    const handed: string[] = []
    await Promise.all(dispatchers(50, handed).map((one) => one.wake()))
    expect(new Set(handed).size).toBe(handed.length)
    expect((await open.ledger.owed.holders(leaseMs)).map((run) => run.routine).toSorted()).toEqual(['a', 'b'])
  })

  test('one worker claims', async () => {
    const id = await newRun('a')
    const [handed] = await open.ledger.owed.markDispatched([id])
    const claims = await atOnce((ledger, index) =>
      ledger.transaction((tx) => tx.owed.claim({ runId: id, attempt: handed!.attempt }, `worker ${index}`, leaseMs)),
    )
    expect(claims.filter(Boolean).length).toBe(1)
    expect((await open.ledger.runs.attemptsOf(id)).length).toBe(1)
  })

  test('servers that apply the same folder agree', async () => {
    const every = `on: { schedule: { cron: "*/5 * * * *", timezone: UTC } }\n`
    const routines = Array.from({ length: 10 }, (_, index) => routine(`routine-${index}`, every))
    await atOnce((ledger, index) =>
      applyRoutines(ledger, { routines: index % 4 < 2 ? routines : routines.toReversed(), broken: new Map() }),
    )
    expect((await open.ledger.routines.list()).length).toBe(10)
    expect((await open.ledger.routines.schedules()).length).toBe(10)
  })

  test('schedulers, fires and a folder that changes meet without a deadlock that anybody sees; each slot is one row', async () => {
    await open.setClock('2026-03-02T10:02:00Z')
    const every = `on: { schedule: [{ cron: "*/5 * * * *", timezone: UTC }, { cron: "5 10 * * *", timezone: UTC }] }\n`
    const routines = Array.from({ length: 30 }, (_, index) => routine(`routine-${index}`, every))
    await applyRoutines(open.ledger, { routines, broken: new Map() })
    await open.setClock('2026-03-02T10:05:01Z')
    const routineOf = ({ file, source }: { file: string; source: string }) =>
      parseOrRefuse(file, source, { defaultEngine: 'command', checkSchedule })
    await atOnce(async (ledger, index) => {
      if (index % 4 === 3) await applyRoutines(ledger, { routines: routines.toReversed(), broken: new Map() })
      else if (index % 4 === 2)
        for (const one of routines.slice(index))
          await fireOn(ledger, { ...occasion('any', `key ${index}`), routine: one })
      else await tickAll({ ledger, routineOf })
    })
    await tickAll({ ledger: open.ledger, routineOf })
    expect(await open.rows('select count(*)::int as n, count(distinct routine)::int as routines from slots')).toEqual([
      { n: 30, routines: 30 },
    ])
    expect((await statesOf()).filter((state) => state !== 'skipped')).toEqual(Array(30).fill('queued'))
  })

  test('pull requests of one repository have numbers without a gap, and a branch has one that is open', async () => {
    const record = (branch: string) => ({
      repository: '/shop',
      branch,
      base: 'main',
      head: 'a'.repeat(40),
      title: 'Tidy',
      body: '',
      draft: true,
      labels: [],
      routine: 'tidy',
      subject: 'main',
      run: 'r1',
    })
    const idOf = (number: number) => `shop-${number}`
    const different = await atOnce((ledger, index) => ledger.pulls.insert(record(`branch ${index}`), idOf))
    expect(different.map((pull) => pull.number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, n) => n + 1),
    )
    const same = await atOnce((ledger) => ledger.pulls.insert(record('the same'), idOf))
    expect(new Set(same.map((pull) => pull.number))).toEqual(new Set([21]))
  })

  test('processes that start together migrate once', async () => {
    const { url: databaseUrl } = await open.postgres.createDatabase()
    const opened = await Promise.all(
      Array.from({ length: 8 }, () => openStore({ databaseUrl, log: createLog('silent') })),
    )
    try {
      await Promise.all(opened.map((store) => migrate(store)))
      for (const store of opened) expect(await createLedger(store).runs.list()).toEqual([])
    } finally {
      await Promise.all(opened.map((store) => store.close()))
    }
  })
})
