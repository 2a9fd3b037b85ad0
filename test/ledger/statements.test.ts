import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FenceLost, messageOf } from '../../src/errors.ts'
import type { Run } from '../../src/ledger/schema.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { fire, type Occasion } from '../../src/runs/fire.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('the ledger', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const everything = {
      unclaimedMs: 30_000,
      except: [],
      only: undefined,
      mayTakeOver: true,
      limits: { repository: null, sender: null },
      limit: 10,
    }
    const leaseMs = 30_000
    const routine = (name: string, note = '') =>
      parseOrRefuse(
        `/routines/${name}.md`,
        `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\ninputs: { scope: { type: string, default: all } }\n---\n${note}\n`,
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
    const fireOnce = (wanted: Occasion) => open.ledger.transaction((tx) => fire(tx, wanted))
    async function newRun(name = 'a', key = 'one'): Promise<string> {
      return (await fireOnce(occasion(name, key))).run!
    }
    /** Handed to the queue and claimed by a worker. */
    async function claimed(run: string, worker = 'first'): Promise<Run> {
      const [handed] = await open.ledger.owed.markDispatched([run])
      return (await open.ledger.transaction((tx) =>
        tx.owed.claim({ runId: run, attempt: handed!.attempt }, worker, leaseMs),
      ))!
    }
    const hold = (run: Run) => open.ledger.hold(run, { leaseMs })
    const find = async (run: string) => (await open.ledger.runs.find(run))!
    async function later(ms: number): Promise<void> {
      const now = await open.ledger.now()
      await open.setClock(new Date(now.getTime() + ms))
    }
    const outcomes = async (run: string) => (await open.ledger.runs.attemptsOf(run)).map((attempt) => attempt.outcome)

    describe('firing', () => {
      test('the same occasion many times at once is one firing and one run', async () => {
        const fired = await Promise.all(Array.from({ length: 20 }, () => fireOnce(occasion('a', 'same'))))
        expect(fired.filter((one) => one.fresh).length).toBe(1)
        expect(new Set(fired.map((one) => one.run)).size).toBe(1)
        expect((await open.ledger.runs.list()).length).toBe(1)
      })

      test('of many different ones that ask for the same the waiting run takes all along', async () => {
        const fired = []
        for (let index = 0; index < 5; index++) fired.push(await fireOnce(occasion('a', `key-${index}`)))
        expect(fired.map((one) => one.firing.outcome)).toEqual([
          'accepted',
          'coalesced',
          'coalesced',
          'coalesced',
          'coalesced',
        ])
        expect(new Set(fired.map((one) => one.run)).size).toBe(1)
        expect((await open.ledger.firings.ofRun(fired[0]!.run!)).length).toBe(5)
      })

      test('one that asks for something else takes the place of the one that waits, which ends with the reason', async () => {
        const first = await newRun()
        const second = (await fireOnce(occasion('a', 'two', { inputs: { scope: 'docs' } }))).run!
        expect(await find(first)).toMatchObject({
          state: 'skipped',
          reason: 'superseded',
          endedAt: expect.any(Date) as Date,
        })
        expect((await find(first)).message).toContain(second)
        expect((await open.ledger.events.last(first, 1))[0]).toMatchObject({
          kind: 'state',
          data: { state: 'skipped' },
        })
        expect(await find(second)).toMatchObject({ state: 'queued', endedAt: null })
      })

      test('nothing of a transaction that fails is kept', async () => {
        const broken = open.ledger.transaction(async (tx) => {
          await fire(tx, occasion('a', 'one'))
          throw new Error('power cut')
        })
        await expect(broken).rejects.toThrow('power cut')
        expect(await open.ledger.runs.list()).toEqual([])
        expect(await open.ledger.firings.find('a', 'one')).toBeUndefined()
        expect((await fireOnce(occasion('a', 'one'))).fresh).toBe(true)
      })
    })

    test('a transaction that went on after a failed statement is refused: its commit kept nothing', async () => {
      const careless = open.store.db.transaction(async (tx) => {
        await tx.execute(`insert into audit (actor, action, subject, data) values ('a', 'b', 'c', '{}')`)
        await tx.execute('select * from nowhere').catch(() => {})
      })
      expect(messageOf(await careless.catch((error: unknown) => error))).toContain('rolled back')
      expect(await open.rows('select * from audit')).toEqual([])
      expect(await newRun()).toEqual(expect.any(String))
    })

    describe('a claim', () => {
      test('makes one worker the owner, of the attempt that was handed out and no other', async () => {
        const run = await newRun()
        const [handed] = await open.ledger.owed.markDispatched([run])
        const claim = (attempt: number, worker: string) =>
          open.ledger.transaction((tx) => tx.owed.claim({ runId: run, attempt }, worker, leaseMs))
        expect(await claim(handed!.attempt - 1, 'old job')).toBeUndefined()
        expect(await claim(handed!.attempt + 1, 'job from nowhere')).toBeUndefined()
        const both = await Promise.all([claim(handed!.attempt, 'first'), claim(handed!.attempt, 'second')])
        expect(new Set(both.map((one) => one?.fence))).toEqual(new Set([1, undefined]))
        expect(await outcomes(run)).toEqual([null])
      })

      test('is refused for a run that has ended, rests, or does not exist', async () => {
        const run = await claimed(await newRun())
        await hold(run).end({ state: 'needs_approval', reason: 'policy', message: null })
        const claim = () =>
          open.ledger.transaction((tx) => tx.owed.claim({ runId: run.id, attempt: run.attempt }, 'x', leaseMs))
        expect(await claim()).toBeUndefined()
        await open.ledger.runs.endUnheld(run.id, { state: 'cancelled', reason: 'denied', message: '' })
        expect(await claim()).toBeUndefined()
        expect(
          await open.ledger.transaction((tx) => tx.owed.claim({ runId: 'none', attempt: 1 }, 'x', leaseMs)),
        ).toBeUndefined()
      })

      test('after a lease that ran out counts a loss; after a run was given back it does not', async () => {
        const id = await newRun()
        const first = await claimed(id)
        await hold(first).release({ outcome: 'released', error: null, delayMs: 0 })
        const second = await claimed(id, 'second')
        expect(second).toMatchObject({ fence: 2, losses: 0 })
        await later(leaseMs + 1)
        const third = await claimed(id, 'third')
        expect(third).toMatchObject({ fence: 3, losses: 1, startedAt: first.startedAt })
        expect(await outcomes(id)).toEqual(['released', 'lost', null])
        await hold(third).release({ outcome: 'retry', error: 'the forge is away', delayMs: 0 })
        expect(await find(id)).toMatchObject({ losses: 2 })
      })
    })

    describe('a fence that is old', () => {
      test('refuses every write of its worker, and none of them left a trace', async () => {
        const id = await newRun()
        const zombie = hold(await claimed(id))
        await later(leaseMs + 1)
        const owner = hold(await claimed(id, 'second'))
        await owner.advance('working')
        const before = [await find(id), await open.ledger.events.last(id, 100), await outcomes(id)]
        const patch = {
          base: 'b',
          tree: 't',
          pack: Buffer.from('p'),
          changes: [],
          findings: [],
          diff: '',
          diffCut: false,
        }
        const writes = [
          () => zombie.renew(),
          () => zombie.advance('publishing'),
          () => zombie.record({ title: 'mine' }),
          () => zombie.tell({ kind: 'note', data: {} }),
          () => zombie.storePatch(patch),
          () => zombie.end({ state: 'published', reason: null, message: null }),
          () => zombie.release({ outcome: 'released', error: null, delayMs: 0 }),
        ]
        for (const write of writes) await expect(write()).rejects.toBeInstanceOf(FenceLost)
        expect([await find(id), await open.ledger.events.last(id, 100), await outcomes(id)]).toEqual(before)
        expect(await open.ledger.publications.patchOf(id)).toBeUndefined()
        await owner.end({ state: 'unchanged', reason: null, message: null })
        expect(await find(id)).toMatchObject({ state: 'unchanged' })
      })
    })

    describe('which run knows better', () => {
      const publication = (run: Run) => ({
        routine: run.routine,
        subject: run.subject,
        repository: '/srv/shop',
        branch: 'overnight/a/main',
        base: 'main',
        commit: 'c0ffee',
        pull: null,
      })
      /** Two runs of one routine, the older asked for first; both have the repository. */
      async function twoRuns() {
        const older = await claimed(await newRun('a', 'one'))
        await later(1000)
        const newer = await claimed(await newRun('a', 'two'))
        for (const run of [older, newer]) await hold(run).record({ repository: '/srv/shop' })
        const newerThan = async (run: Run) =>
          (await open.ledger.publications.newerThan({ ...run, repository: '/srv/shop' }))?.run
        return { older, newer, newerThan }
      }
      const end = (run: Run, state: 'published' | 'unchanged' | 'failed') =>
        hold(run).end({ state, reason: null, message: null })

      test('one that was asked for later, once it has published, though its end is not on record yet', async () => {
        const { older, newer, newerThan } = await twoRuns()
        expect(await newerThan(older)).toBeUndefined()
        await hold(newer).storePublication(publication(newer))
        expect(await newerThan(older)).toBe(newer.id)
        expect(await newerThan(newer)).toBeUndefined()
      })

      test('how deep the run was that pushed a branch, a commit or a pull request', async () => {
        const { older, newer } = await twoRuns()
        await open.ledger.runs.takeAlong(newer.id, { notBefore: newer.notBefore, depth: 2 })
        const pushed = { branch: 'overnight/a/main', pull: '/srv/shop#7' }
        await hold(older).storePublication({ ...publication(older), ...pushed, commit: 'a' })
        await later(1000)
        await hold(newer).storePublication({ ...publication(newer), ...pushed, commit: 'b' })
        const depthOf = (what: Parameters<typeof open.ledger.publications.depthOf>[1], repository = '/srv/shop') =>
          open.ledger.publications.depthOf(repository, what)
        expect(await depthOf({ branch: 'overnight/a/main' })).toBe(2)
        expect(await depthOf({ commit: 'a', pull: null })).toBe(0)
        expect(await depthOf({ commit: 'b', pull: null })).toBe(2)
        expect(await depthOf({ commit: null, pull: 7 })).toBe(2)
        expect(await depthOf({ commit: 'c', pull: 8 })).toBeUndefined()
        expect(await depthOf({ commit: null, pull: null })).toBeUndefined()
        expect(await depthOf({ commit: 'a', pull: 7 }, '/srv/other')).toBeUndefined()
        // A push is told of before it is on record.
        await hold(newer).advance('publishing')
        expect(await depthOf({ commit: 'c', pull: null })).toBe(2)
        expect(await depthOf({ commit: 'a', pull: null })).toBe(0)
        expect(await depthOf({ commit: 'c', pull: null }, '/srv/other')).toBeUndefined()
      })

      test('not one that was asked for earlier, however late it published', async () => {
        const { older, newer, newerThan } = await twoRuns()
        await later(60_000)
        await hold(older).storePublication(publication(older))
        await end(older, 'published')
        expect(await newerThan(newer)).toBeUndefined()
        expect(await newerThan(older)).toBeUndefined()
      })

      test.each([
        ['unchanged', true],
        ['failed', false],
      ] as const)('a later one that ended %s: %s', async (state, knows) => {
        const { older, newer, newerThan } = await twoRuns()
        await end(newer, state)
        expect(await newerThan(older)).toBe(knows ? newer.id : undefined)
      })
    })

    describe('an ending', () => {
      test('is final for its own worker, for cancel and for approve', async () => {
        const run = await claimed(await newRun())
        const owner = hold(run)
        await owner.end({ state: 'failed', reason: 'agent_exit', message: 'it broke' })
        const ended = await find(run.id)
        expect(ended).toMatchObject({
          state: 'failed',
          leaseOwner: null,
          leaseUntil: null,
          endedAt: expect.any(Date) as Date,
        })
        await expect(owner.end({ state: 'published', reason: null, message: null })).rejects.toBeInstanceOf(FenceLost)
        await expect(owner.advance('working')).rejects.toBeInstanceOf(FenceLost)
        expect(await open.ledger.runs.requestCancel(run.id)).toBe(false)
        expect(await open.ledger.runs.approve(run.id, 'ada')).toBe(false)
        expect(await open.ledger.runs.endUnheld(run.id, { state: 'cancelled', reason: 'x', message: 'x' })).toBe(false)
        expect(await find(run.id)).toEqual(ended)
      })

      test('from outside is refused while a worker holds the run, which hears of the cancel at its next renewal', async () => {
        const run = await claimed(await newRun())
        const cancelled = { state: 'cancelled' as const, reason: 'cancelled', message: '' }
        expect(await open.ledger.runs.endUnheld(run.id, cancelled)).toBe(false)
        expect(await hold(run).renew()).toMatchObject({ cancelRequested: false })
        expect(await open.ledger.runs.requestCancel(run.id)).toBe(true)
        expect(await hold(run).renew()).toMatchObject({ cancelRequested: true })
      })

      test('that rests is approved once, and is then owed to a worker', async () => {
        const run = await claimed(await newRun())
        await hold(run).end({ state: 'needs_approval', reason: 'policy', message: 'look' })
        expect(await open.ledger.owed.candidates(everything)).toEqual([])
        expect(await open.ledger.runs.approve(run.id, 'ada')).toBe(true)
        expect(await open.ledger.runs.approve(run.id, 'bob')).toBe(false)
        expect(await open.ledger.owed.candidates(everything)).toEqual([
          expect.objectContaining({ id: run.id, state: 'publishing', approvedBy: 'ada', reason: null }),
        ])
      })
    })

    describe('what is owed', () => {
      const owed = async () => (await open.ledger.owed.candidates(everything)).map((run) => run.id)
      const busy = async () =>
        (await open.ledger.owed.holders(leaseMs)).filter((run) => run.atWork).map((run) => run.id)

      test('is any run that has not ended, but one that rests', async () => {
        const isAny = () => open.ledger.owed.isAny()
        expect(await isAny()).toBe(false)
        const run = await claimed(await newRun('a'))
        expect(await isAny()).toBe(true)
        await hold(run).end({ state: 'needs_approval', reason: 'policy', message: 'look' })
        expect(await isAny()).toBe(false)
        await open.ledger.runs.approve(run.id, 'ada')
        expect(await isAny()).toBe(true)
        await open.ledger.runs.endUnheld(run.id, { state: 'cancelled', reason: 'denied', message: '' })
        expect(await isAny()).toBe(false)
      })

      test('is handed out oldest first, and again when nobody claimed it in time', async () => {
        const [first, second] = [await newRun('a'), await newRun('b')]
        expect(await owed()).toEqual([first, second])
        await open.ledger.owed.markDispatched([first])
        expect([await owed(), await busy()]).toEqual([[second], [first]])
        await later(leaseMs + 1)
        expect([await owed(), await busy()]).toEqual([[first, second], []])
      })

      test('is not what a worker holds, until its lease runs out', async () => {
        const run = await claimed(await newRun())
        expect([await owed(), await busy()]).toEqual([[], [run.id]])
        await later(leaseMs - 1000)
        await hold(run).renew()
        await later(leaseMs - 1000)
        expect([await owed(), await busy()]).toEqual([[], [run.id]])
        await later(1001)
        expect([await owed(), await busy()]).toEqual([[run.id], []])
      })

      test('is not what waits for a later try', async () => {
        const run = await claimed(await newRun())
        await hold(run).release({ outcome: 'retry', error: 'away', delayMs: 5000 })
        expect(await owed()).toEqual([])
        await later(5001)
        expect(await owed()).toEqual([run.id])
      })

      test('is at once what a dead process of this folder held or had handed out', async () => {
        const held = await claimed(await newRun('a'))
        const handed = await newRun('b')
        await open.ledger.owed.markDispatched([handed])
        const waiting = await newRun('c')
        expect(await open.ledger.owed.expireLeases()).toBe(2)
        expect(await owed()).toEqual([held.id, handed, waiting])
        expect(await open.ledger.owed.expireLeases()).toBe(0)
      })
    })

    describe('looking up', () => {
      test('a prefix is taken literally, and two are enough to know that it is ambiguous', async () => {
        const ids = [await newRun('a'), await newRun('b'), await newRun('c')]
        expect(await open.ledger.runs.startingWith(ids[0]!)).toHaveLength(1)
        expect(await open.ledger.runs.startingWith('')).toHaveLength(2)
        for (const odd of ['%', '_', '\\', "' or true --", `${ids[0]!.slice(0, 3)}%`])
          expect(await open.ledger.runs.startingWith(odd)).toEqual([])
      })

      test('news of a run comes after its commit, and never of what was rolled back', async () => {
        const heard: string[] = []
        const stop = await open.ledger.watch((run, kind) => heard.push(`${kind} ${run}`))
        const rolledBack = open.ledger.transaction(async (tx) => {
          await tx.events.tell('rolled back', 'note', {})
          throw new Error('no')
        })
        await expect(rolledBack).rejects.toThrow('no')
        await open.ledger.transaction(async (tx) => {
          await tx.events.tell('committed', 'note', {})
          expect(heard).toEqual([])
        })
        await open.ledger.announce('grown')
        await expect.poll(() => heard).toEqual(['state committed', 'output grown'])
        await stop()
        await open.ledger.announce('after')
        expect(heard.length).toBe(2)
      })

      test('a wish to cancel is told once it is on disk, unless there is nothing to cancel', async () => {
        const run = await newRun()
        const heard: string[] = []
        const stop = await open.ledger.watch((id, kind) => heard.push(`${kind} ${id}`))
        await open.ledger.transaction(async (tx) => {
          await tx.runs.requestCancel(run)
          expect(heard).toEqual([])
        })
        await open.ledger.runs.requestCancel('nobody')
        await expect.poll(() => heard).toEqual([`cancel ${run}`])
        await stop()
      })

      test('the clock stands on the offset, and created rows show it', async () => {
        await open.setClock('2031-05-06T07:08:09Z')
        expect((await open.ledger.now()).toISOString()).toMatch(/^2031-05-06T07:08:/)
        expect((await find(await newRun())).createdAt.toISOString()).toMatch(/^2031-05-06T07:08:/)
      })
    })
  })
})
