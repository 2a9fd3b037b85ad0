import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { fire, type Occasion } from '../../src/runs/fire.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('what a pace is measured by', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const routine = (name: string, more = '') =>
      parseOrRefuse(
        `/routines/${name}.md`,
        `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\noverlap: queue_all\n${more}---\n`,
        { defaultEngine: 'command', checkSchedule: () => undefined },
      )
    const at = (time: string) => open.setClock(`2026-03-02T${time}Z`)
    const fired = (
      key: string,
      { by = 'api', of = routine('a') }: { by?: Occasion['trigger']; of?: Occasion['routine'] } = {},
    ) => open.ledger.transaction((tx) => fire(tx, { routine: of, trigger: by, key, inputs: {}, by: 'test' }))
    const lastStart = (...besides: string[]) =>
      open.ledger.transaction(async (tx) => (await tx.earlier.lastStart('a', besides))?.toISOString().slice(11, 16))
    const begunWithin = (minutes: number) =>
      open.ledger.transaction((tx) => tx.earlier.begunWithin('a', minutes * 60_000, []))

    test('the last start is when a run began, or may begin; none yet, or only of others, is none', async () => {
      await at('10:00:00')
      await fired('other', { of: routine('b') })
      expect(await lastStart()).toBeUndefined()
      const { run } = await fired('one')
      expect(await lastStart()).toBe('10:00')
      await open.rows(`update runs set started_at = clock() + interval '5 minutes' where id = '${run}'`)
      expect(await lastStart()).toBe('10:05')
    })

    test('a run that is held back counts from when it may start, and one that gave way not at all', async () => {
      await at('10:00:00')
      const cooled = routine('a', 'pace: { cooldown: 30m }\n')
      await fired('one', { of: cooled })
      const { run } = await fired('two', { of: cooled })
      expect(await lastStart()).toBe('10:30')
      expect(await lastStart(run!)).toBe('10:00')
      await open.rows(`update runs set state = 'skipped', ended_at = clock() where id = '${run}'`)
      expect(await lastStart()).toBe('10:00')
    })

    test('begun are those made within the time, without those that people asked for or that gave way', async () => {
      await at('09:00:00')
      await fired('too old')
      await at('10:00:00')
      const { run } = await fired('gave way')
      await open.rows(`update runs set state = 'skipped', ended_at = clock() where id = '${run}'`)
      await fired('one')
      await fired('two', { by: 'schedule' })
      for (const by of ['manual', 'retry', 'backfill'] as const) await fired(by, { by })
      await fired('other', { of: routine('b') })
      expect(await begunWithin(60)).toBe(2)
      await at('10:59:00')
      expect([await begunWithin(60), await begunWithin(30)]).toEqual([2, 0])
      await at('11:05:00')
      expect([await begunWithin(60), await begunWithin(130)]).toEqual([0, 3])
    })

    test('what takes the place of a run that waits is not one more; a new one beside it is', async () => {
      await at('10:00:00')
      const once = {
        ...routine('a', 'pace: { max: { runs: 1, per: 1h } }\n'),
        overlap: { mode: 'queue_one', parallel: 1 },
      }
      const ask = (key: string, text: string) =>
        open.ledger.transaction((tx) =>
          fire(tx, {
            routine: { ...once, hash: text } as Occasion['routine'],
            trigger: 'api',
            key,
            inputs: {},
            by: 'test',
          }),
        )
      await ask('one', 'old text')
      expect((await ask('two', 'new text')).firing).toMatchObject({ outcome: 'accepted' })
      await open.rows(`update runs set attempt = 1, dispatched_at = clock() where state = 'queued'`)
      expect((await ask('three', 'newer text')).firing).toMatchObject({ outcome: 'skipped', reason: 'rate' })
      expect((await open.ledger.runs.list({ routine: 'a' })).map((run) => run.state).toSorted()).toEqual([
        'queued',
        'skipped',
      ])
    })
  })
})
