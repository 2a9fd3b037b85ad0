import { expect, test, describe } from 'vitest'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import type { Routine } from '../../src/routines/routine.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { stores } from '../support/open-ledger.ts'

/** More than one statement carries. */
const many = 1200
const one = parseOrRefuse(
  '/routines/one.md',
  '---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\non: { schedule: { cron: "5 2 * * *", timezone: UTC } }\n---\n',
  { defaultEngine: 'command', checkSchedule },
)
const named = (name: string, more: Partial<Routine> = {}): Routine => ({
  ...one,
  name,
  file: `/routines/${name}.md`,
  ...more,
})
const name = (index: number) => `r${String(index).padStart(5, '0')}`

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  test.skipIf(skip)('thousands of routines are applied, changed and removed whole', async () => {
    await using open = await opening()
    const { ledger } = open
    const all = Array.from({ length: many }, (_, index) => named(name(index)))
    await applyRoutines(ledger, { routines: all, broken: new Map() })
    expect((await ledger.routines.standing()).length).toBe(many)
    expect(await ledger.routines.schedules()).toHaveLength(many)
    const [first] = await ledger.routines.schedulesOf(name(0))
    expect(first).toMatchObject({ cron: '5 2 * * *', timezone: 'UTC' })
    expect(first!.nextFireAt!.toISOString()).toMatch(/T02:05:00.000Z$/)

    const transactions = () => open.rows<{ n: number }>(`select count(distinct xmin::text)::int as n from routines`)
    const changed = named(name(7), { hash: 'other', source: 'Ä\n"quoted" \\ 🌙', schedules: [] })
    const kept = all.with(7, changed).slice(0, many / 2)
    await applyRoutines(ledger, { routines: kept, broken: new Map() })
    expect((await ledger.routines.standing()).length).toBe(many / 2)
    expect(await ledger.routines.versionInForce(changed.name)).toMatchObject({ hash: 'other', source: changed.source })
    expect(await ledger.routines.schedules()).toHaveLength(many / 2 - 1)
    // Only what changed was written.
    expect(await transactions()).toEqual([{ n: 2 }])
    await applyRoutines(ledger, {
      routines: kept.map((routine) => ({ ...routine, commit: 'c0ffee' })),
      broken: new Map(),
    })
    expect((await ledger.routines.standing()).every(({ commit }) => commit === 'c0ffee')).toBe(true)
    expect(await transactions()).toEqual([{ n: 2 }])
  })
})
