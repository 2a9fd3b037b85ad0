import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RunState } from '../../src/ledger/schema.ts'
import { createLog } from '../../src/log.ts'
import { parseOrRefuse } from '../../src/routines/read.ts'
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

    test('is looked at again when the first look came to nothing', async () => {
      await ended('published')
      const good = routine('plain', '{ after: { routine: deps } }')
      // Its text cannot be kept: what was fired before it in the same transaction must not stand either.
      const bad = { ...good, name: 'z-bad', source: 'a\0b' }
      await following([good, bad]).wake()
      expect(await firings()).toEqual([])
      await following([good]).wake()
      expect((await firings()).map((row) => row.outcome)).toEqual(['accepted'])
    })

    test('is looked at whatever the end of an earlier one comes to', async () => {
      await ended('published')
      await ended('failed')
      const good = routine('good', '{ after: { routine: deps, ends: [failed] } }')
      const bad = { ...routine('bad', '{ after: { routine: deps } }'), source: 'a\0b' }
      await following([good, bad]).wake()
      expect((await firings()).map((row) => row.routine)).toEqual(['good'])
      await following([good, { ...bad, source: 'ab' }]).wake()
      expect((await firings()).map((row) => row.routine)).toEqual(['bad', 'good'])
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
