import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { rollBack, undoRollback } from '../../src/triggers/rolling-back.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('a routine that is rolled back', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const routineOf = (version: { file: string; source: string }) =>
      parseOrRefuse(version.file, version.source, { defaultEngine: 'command', checkSchedule })
    const textOf = (hour: number) =>
      `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\non: { schedule: { cron: "0 ${hour} * * *", timezone: UTC } }\n---\n`
    const version = (hour: number) => routineOf({ file: '/routines/tidy.md', source: textOf(hour) })
    const apply = (hour: number) => applyRoutines(open.ledger, { routines: [version(hour)], broken: new Map() })
    const asked = { routine: 'tidy', by: 'ada', routineOf }
    const back = (to?: string) => rollBack(open.ledger, { ...asked, to })
    const undo = () => undoRollback(open.ledger, asked)
    const inForce = async () => ({
      hash: (await open.ledger.routines.find('tidy'))?.hash,
      crons: (await open.ledger.routines.schedulesOf('tidy')).map(({ cron }) => cron),
    })
    const at = (hour: number) => ({ hash: version(hour).hash, crons: [`0 ${hour} * * *`] })
    const acts = async () =>
      (await open.ledger.history.of('tidy', 50)).map(({ act, by, hash }) => [act, by, hash?.slice(0, 8) ?? null])
    const mark = (hour: number) => version(hour).hash.slice(0, 8)

    test('has the version before in force, with its schedules, whatever is applied, until the file changes', async () => {
      for (const hour of [1, 2, 3]) await apply(hour)
      expect(await back()).toEqual({ routine: 'tidy', hash: version(2).hash, from: version(3).hash })
      expect(await inForce()).toEqual(at(2))
      await apply(3)
      expect(await inForce()).toEqual(at(2))
      expect(await open.ledger.routines.rolledBack()).toMatchObject([
        { hash: version(2).hash, source: textOf(2), from: version(3).hash },
      ])
      await apply(4)
      expect(await inForce()).toEqual(at(4))
      expect(await open.ledger.routines.rolledBack()).toEqual([])
      expect(await acts()).toEqual([
        ['apply', 'files', mark(4)],
        ['rollback', 'ada', mark(2)],
        ['apply', 'files', mark(3)],
        ['apply', 'files', mark(2)],
        ['apply', 'files', mark(1)],
      ])
    })

    test('may go further back, to a version that is named, and forth again', async () => {
      for (const hour of [1, 2, 3]) await apply(hour)
      await back()
      await back()
      expect(await inForce()).toEqual(at(1))
      await back(version(2).hash.slice(0, 8).toUpperCase())
      expect(await inForce()).toEqual(at(2))
      expect(await undo()).toEqual({ routine: 'tidy', hash: version(3).hash, from: null })
      expect(await inForce()).toEqual(at(3))
      await back(version(1).hash)
      expect(await back(version(3).hash)).toEqual({ routine: 'tidy', hash: version(3).hash, from: null })
    })

    test('stays so while the file is broken, moves, is mended or comes back', async () => {
      for (const hour of [1, 2]) await apply(hour)
      await back()
      const problem = { file: '/routines/tidy.md', line: 1, column: 1, message: 'nope' }
      await applyRoutines(open.ledger, { routines: [version(2)], broken: new Map([['tidy', [problem]]]) })
      expect(await inForce()).toEqual(at(1))
      expect(await open.ledger.routines.lastGood('tidy')).toMatchObject({ hash: version(2).hash })
      await apply(2)
      expect(await inForce()).toEqual(at(1))
      expect((await open.ledger.routines.find('tidy'))?.error).toBeNull()
      await applyRoutines(open.ledger, { routines: [{ ...version(2), file: '/else/tidy.md' }], broken: new Map() })
      expect(await inForce()).toEqual(at(1))
    })

    test('or put forth again after downtime: what was due by then is on record', async () => {
      await open.setClock('2026-03-02T00:30:00Z')
      for (const hour of [1, 3]) await apply(hour)
      await open.setClock('2026-03-02T04:00:00Z')
      await back()
      await open.setClock('2026-03-03T02:00:00Z')
      await undo()
      const slots = await open.rows<{ at: string | Date }>('select at from slots order by at')
      expect(slots.map(({ at }) => new Date(at).toISOString().slice(8, 13))).toEqual(['02T03', '03T01'])
    })

    test('is refused with what to do when there is nothing to go to', async () => {
      await expect(back()).rejects.toThrow('there is no routine in force "tidy"')
      await apply(1)
      await expect(back()).rejects.toThrow('tidy has no version before this one')
      await expect(undo()).rejects.toThrow('tidy is not rolled back')
      await expect(back('0000')).rejects.toThrow('there is no version of tidy "0000"')
      await expect(back(version(1).hash)).rejects.toThrow('is in force already')
      await apply(2)
      await expect(back('')).rejects.toThrow('more than one version of tidy begins with ""')
      expect(await inForce()).toEqual(at(2))
    })

    test('is not put back to a text that is not read any more', async () => {
      await apply(1)
      await open.rows(`update routine_versions set source = '---\nnope: 1\n---\n'`)
      await apply(2)
      await expect(back()).rejects.toThrow('unknown key "nope"')
      expect(await inForce()).toEqual(at(2))
    })

    test('by many at once is put back once', async () => {
      for (const hour of [1, 2]) await apply(hour)
      const ended = await Promise.allSettled([back(), back(), back(), apply(2), apply(2)])
      expect(ended.filter(({ status }) => status === 'rejected').length).toBe(2)
      expect(await inForce()).toEqual(at(1))
    })
  })
})
