import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RunState } from '../../src/ledger/schema.ts'
import { createLog } from '../../src/log.ts'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import type { Routine } from '../../src/routines/routine.ts'
import { fire } from '../../src/runs/fire.ts'
import { createFollowing } from '../../src/triggers/follow.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('the end of a run', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const routine = (name: string, on = 'manual', more = ''): Routine =>
      parseOrRefuse(
        `/routines/${name}.md`,
        `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\non: ${on}\n${more}---\n`,
        { defaultEngine: 'command', checkSchedule },
      )
    const deps = routine('deps')
    const following = (routines: readonly Routine[]) =>
      createFollowing({
        ledger: open.ledger,
        routines: () => Promise.resolve(routines),
        wake: () => {},
        alertUrls: ['https://ops.example/'],
        log: createLog('silent'),
      })
    async function ended(state: RunState, depth = 0): Promise<string> {
      const { run } = await open.ledger.transaction((tx) =>
        fire(tx, { routine: deps, trigger: 'manual', key: `k${state}${depth}`, inputs: {}, by: 'ada', depth }),
      )
      await open.ledger.runs.endUnheld(run!, { state, reason: 'internal', message: 'it ended' })
      return run!
    }
    const firings = () =>
      open.rows<{ routine: string; outcome: string; reason: string | null; trigger_key: string }>(
        `select routine, outcome, reason, trigger_key, payload from firings where trigger = 'routine' order by routine`,
      )

    test.each([
      ['published', ['any', 'plain']],
      ['reported', ['plain']],
      ['unchanged', ['any']],
      ['failed', ['any']],
      ['cancelled', []],
      ['skipped', []],
    ] as const)('%s fires those that follow it', async (state, fired) => {
      const routines = [
        deps,
        routine('plain', '{ after: { routine: deps } }'),
        routine('any', '{ after: [{ routine: other }, { routine: deps, ends: [published, unchanged, failed] }] }'),
        routine('else', '{ after: { routine: other } }'),
      ]
      const run = await ended(state)
      await following(routines).wake()
      const rows = await firings()
      expect(rows.map((row) => row.routine)).toEqual(fired)
      expect(rows).toEqual(
        rows.map((row) => expect.objectContaining({ trigger_key: `after:${run}`, outcome: 'accepted' }) as typeof row),
      )
    })

    test('says which run it was, and is one firing however many look, and however often', async () => {
      const run = await ended('published')
      const routines = [routine('plain', '{ after: { routine: deps } }')]
      await Promise.all(Array.from({ length: 8 }, () => following(routines).wake()))
      await following(routines).wake()
      expect(await firings()).toEqual([
        expect.objectContaining({
          payload: expect.objectContaining({ run, routine: 'deps', state: 'published', message: 'it ended' }) as object,
        }),
      ])
      expect((await open.ledger.runs.list({ routine: 'plain' }))[0]).toMatchObject({ trigger: 'routine', depth: 1 })
    })

    const start = Date.parse('2026-11-20T02:00:00Z')
    const after = (seconds: number) => open.setClock(new Date(start + seconds * 1000))
    const one = () => open.rows<{ kind: string; url: string }>(`select kind, url from outbox order by created_at`)
    /** Its text cannot be kept. */
    const broken = (name: string) => ({ ...routine(name, '{ after: { routine: deps } }'), source: 'a\0b' })

    test('that one follower cannot be fired keeps no other from it, and it is tried again after a pause', async () => {
      await open.setClock(new Date(start))
      await ended('published')
      const [good, bad] = [routine('z-good', '{ after: { routine: deps } }'), broken('bad')]
      await following([bad, good]).wake()
      expect((await firings()).map((row) => row.routine)).toEqual(['z-good'])
      const repaired = { ...bad, source: 'ab' }
      await following([repaired, good]).wake()
      expect((await firings()).length).toBe(1)
      await after(60)
      // Its inputs are others than when it was fired: it is the same firing all the same.
      const edited: Routine = { ...good, inputs: { scope: { type: 'string', required: false, default: 'all' } } }
      await following([repaired, edited]).wake()
      expect((await firings()).map((row) => row.routine)).toEqual(['bad', 'z-good'])
      expect(await open.ledger.alerts.list(10)).toEqual([])
    })

    test('is looked at whatever the end of an earlier one comes to', async () => {
      await ended('published')
      await ended('failed')
      await following([routine('good', '{ after: { routine: deps, ends: [failed] } }'), broken('bad')]).wake()
      expect((await firings()).map((row) => row.routine)).toEqual(['good'])
    })

    test('with a follower that never can be fired is tried less and less often, and somebody is told', async () => {
      await open.setClock(new Date(start))
      const run = await ended('published')
      const tries = async () => (await open.ledger.runs.find(run))!.followTries
      const bad = broken('bad')
      for (let count = 1; count <= 6; count++) {
        const begun = (await open.ledger.now()).getTime()
        // Two processes at once, where the pause is longer than a slow machine takes.
        await Promise.all((count > 3 ? [1, 2] : [1]).map(() => following([bad]).wake()))
        const ended = (await open.ledger.now()).getTime()
        const next = (await open.ledger.runs.find(run))!.followNotBefore!.getTime()
        const pauseMs = 1000 * 2 ** (count - 1)
        expect([next >= begun + pauseMs, next <= ended + pauseMs]).toEqual([true, true])
        const told = (await open.ledger.alerts.open()).length
        expect([await tries(), told]).toEqual([count, count < 5 ? 0 : 1])
        await open.setClock(new Date(next - 60_000))
        await following([bad]).wake()
        expect(await tries()).toBe(count)
        await open.setClock(new Date(next))
      }
      const says = /^after run \w+ of deps: bad, which follows it, could not be fired in 5 tries: ./
      expect(await open.ledger.alerts.openFaults()).toMatchObject([
        { kind: 'followers_not_fired', routine: 'bad', message: expect.stringMatching(says) as string },
      ])
      expect((await open.ledger.events.last(run, 10)).filter((event) => event.kind === 'note').length).toBe(1)
      expect(await one()).toEqual([{ kind: 'alert.raised', url: 'https://ops.example/' }])
      await after(4000)
      await following([{ ...bad, source: 'ab' }]).wake()
      expect((await firings()).map((row) => row.routine)).toEqual(['bad'])
      expect(await open.ledger.alerts.open()).toEqual([])
      expect((await one()).map(({ kind }) => kind)).toEqual(['alert.raised', 'alert.cleared'])
    })

    test('whose stuck follower is removed is over, and the alert with it when it was the last', async () => {
      const runs = [await ended('published'), await ended('failed')]
      await open.rows(`update runs set follow_tries = 5 where followers_owed`)
      const bad = broken('bad')
      const two: Routine = { ...bad, after: [{ routine: 'deps', ends: ['published', 'failed'] }] }
      await following([two]).wake()
      expect((await open.ledger.alerts.open()).length).toBe(1)
      await open.rows(`update runs set follow_not_before = null where id = '${runs[0]}'`)
      await following([]).wake()
      expect((await open.ledger.alerts.open()).length).toBe(1)
      await open.rows(`update runs set follow_not_before = null where followers_owed`)
      await following([]).wake()
      expect(await open.ledger.alerts.open()).toEqual([])
    })

    test('a chain that is too deep stops, and says so', async () => {
      await ended('published', 3)
      await following([routine('plain', '{ after: { routine: deps } }')]).wake()
      expect(await firings()).toEqual([expect.objectContaining({ outcome: 'skipped', reason: 'depth' })])
    })

    test('a follower that wants what nobody gives is on record', async () => {
      await ended('published')
      const asks = routine('plain', '{ after: { routine: deps } }')
      await following([{ ...asks, inputs: { scope: { type: 'string', required: true } } }]).wake()
      expect(await firings()).toEqual([expect.objectContaining({ outcome: 'skipped', reason: 'bad_inputs' })])
    })
  })
})
