import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../../src/ledger/schema.ts'
import { decideAlerts, named, slotKey, slotOf, type LostSlot } from '../../../src/triggers/watch/decide-alerts.ts'

const two = new Date('2026-03-02T02:00:00Z')
const three = new Date('2026-03-02T03:00:00Z')
const lost = (routine: string, at = two, owed: LostSlot['owed'] = null): LostSlot => ({ routine, at, owed })
const crowd = (size: number) => Array.from({ length: size }, (_, index) => lost(`r${String(index).padStart(3, '0')}`))
const open = (key: string, routine = '', kind: Alert['kind'] = 'slot_unrecorded') => ({
  id: 1,
  kind,
  key,
  routine,
})
const runs = { count: 2, oldest: { id: 'r1', routine: 'nightly', since: two } }

describe('what is told', () => {
  test('each lost slot, with what is known of it', () => {
    const said = decideAlerts({ slots: [lost('a'), lost('b', two, { reason: 'disk_full' })], runs: undefined }, [])
    expect(said.raise.map(({ key, message }) => [key, message])).toEqual([
      [
        'slot:a:2026-03-02T02:00:00.000Z',
        'the slot of a at 2026-03-02 02:00 UTC has no row: no scheduler has taken it up',
      ],
      [
        'slot:b:2026-03-02T02:00:00.000Z',
        'the slot of b at 2026-03-02 02:00 UTC is on record, and nothing comes of it: disk_full',
      ],
    ])
  })

  test('runs that nobody takes, once, however many', () => {
    const { raise } = decideAlerts({ slots: [], runs }, [])
    expect(raise).toMatchObject([{ kind: 'run_not_started', key: 'runs', routine: 'nightly' }])
    expect(raise[0]!.message).toMatch(
      /^2 runs, the oldest of them r1 of nightly, could have started at 2026-03-02 02:00/,
    )
    expect(decideAlerts({ slots: [], runs }, [open('runs', 'nightly', 'run_not_started')])).toEqual({
      raise: [],
      clear: [],
    })
  })

  test('a routine once, by its first lost slot; the next one when that was made good', () => {
    const [first, second] = [lost('a'), lost('a', three)]
    expect(decideAlerts({ slots: [second, first], runs: undefined }, []).raise.map(({ key }) => key)).toEqual([
      slotKey(first),
    ])
    const told = open(slotKey(first), 'a')
    expect(decideAlerts({ slots: [second, first], runs: undefined }, [told])).toEqual({ raise: [], clear: [] })
    const next = decideAlerts({ slots: [second], runs: undefined }, [told])
    expect([next.raise.map(({ key }) => key), next.clear]).toEqual([[slotKey(second)], [told]])
  })

  test('of a crowd the first by name, the others by their number', () => {
    const { raise } = decideAlerts({ slots: crowd(400), runs: undefined }, [])
    expect(raise.length).toBe(named + 1)
    expect(raise.at(-1)).toMatchObject({
      key: 'slots:others',
      routine: '',
      message: expect.stringContaining('390 more') as string,
    })
  })

  test('what is made good is cleared; a paused routine, or one that cannot be fired, is none of its business', () => {
    const paused = open('paused:a', 'a', 'routine_paused')
    const follower = open('followers', 'b', 'followers_not_fired')
    const mine = [open('slots:others'), open(slotKey(lost('a')), 'a'), open('runs', 'b', 'run_not_started')]
    const told = [...mine, paused, follower]
    expect(decideAlerts({ slots: [], runs: undefined }, told)).toEqual({ raise: [], clear: mine })
  })

  test('the slot of an alert is read from its key, whatever the routine is called', () => {
    expect(slotOf(open(slotKey(lost('a-b')), 'a-b'))).toEqual({ routine: 'a-b', at: two })
    expect(slotOf(open('slots:others'))).toBeUndefined()
    expect(slotOf(open('runs', 'a', 'run_not_started'))).toBeUndefined()
  })
})

test('told again with the same findings nothing is raised and nothing cleared, and no more are open than are named', () => {
  const slots = fc.uniqueArray(fc.record({ routine: fc.nat(40), hour: fc.nat(3) }), {
    selector: ({ routine, hour }) => `${routine}/${hour}`,
  })
  const found = slots.map((all) =>
    all.map(({ routine, hour }) => lost(`r${routine}`, new Date(two.getTime() + hour * 3_600_000))),
  )
  fc.assert(
    fc.property(found, found, fc.boolean(), (first, second, late) => {
      const apply = (before: readonly ReturnType<typeof open>[], slots: readonly LostSlot[]) => {
        const { raise, clear } = decideAlerts({ slots, runs: late ? runs : undefined }, before)
        return [...before.filter((alert) => !clear.includes(alert)), ...raise.map((alert, id) => ({ id, ...alert }))]
      }
      const once = apply(apply([], first), second)
      expect(apply(once, second)).toEqual(once)
      expect(once.filter(({ key }) => key.startsWith('slot:')).length).toBeLessThanOrEqual(named)
      expect(new Set(once.map(({ key }) => key)).size).toBe(once.length)
      const told = new Set(once.map(({ routine }) => routine))
      const all = new Set(second.map(({ routine }) => routine))
      expect(once.some(({ key }) => key === 'slots:others')).toBe([...all].some((routine) => !told.has(routine)))
    }),
  )
})
