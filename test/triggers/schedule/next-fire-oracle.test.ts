import { describe, expect, test } from 'vitest'
import { cronOf } from '../../../src/triggers/schedule/cron.ts'
import { nextFire } from '../../../src/triggers/schedule/next-fire.ts'
import { need } from '../../support/need.ts'
import { openCases } from './oracle/cases.ts'
import { compare } from './oracle/compare.ts'
import { nextByTheRule, type Pattern } from './oracle/due.ts'
import { changesByRule } from './oracle/posix-rule.ts'
import { releases, segmentsOf, zoneFilesMissing, zoneNames } from './oracle/zone-files.ts'

const { skip, note } = need(zoneFilesMissing)
const cases = 20_000

describe.skipIf(skip)(`nextFire beside the written rule${note}`, () => {
  // 10^6 and more: npm run oracle.
  test(`${cases} random expressions, zones and instants: the next fire is the one that the rule gives`, () => {
    const caseOf = openCases(20261121)
    const seen = { zones: new Set<string>(), patterns: new Set<string>() }
    const different: string[] = []
    const incomparable: string[] = []
    for (let index = 0; index < cases; index++) {
      const one = caseOf(index)
      const { verdict, ours, theirs } = compare(one)
      const after = new Date(one.after).toISOString()
      if (verdict === 'different')
        different.push(`after ${after}, "${one.pattern.text}" in ${one.zone} is due at ${theirs}, and we say ${ours}`)
      if (verdict === 'data') incomparable.push(one.zone)
      seen.zones.add(one.zone)
      seen.patterns.add(one.pattern.text)
    }
    expect(different).toEqual([])
    expect(seen.zones.size).toBe(zoneNames().length)
    expect(seen.patterns.size).toBeGreaterThan(cases * 0.8)
    // Two releases of the tz database differ in a few zones; what they agree on is nearly everything.
    const { files, node } = releases()
    expect(incomparable.length).toBeLessThanOrEqual(files === node ? 0 : cases / 100)
    expect(new Set(incomparable).size).toBeLessThan(20)
  }, 60_000)

  test('asked from any instant before it, the next fire is the same, and it is always later', () => {
    const caseOf = openCases(7)
    for (let index = 0; index < 1000; index++) {
      const { pattern, zone, after } = caseOf(index)
      const cron = cronOf(pattern.text)
      const next = nextFire(cron, zone, new Date(after))!
      const between = after + Math.floor((next.getTime() - after - 1) * (index / 1000))
      expect([next.getTime() > after, nextFire(cron, zone, new Date(between))]).toEqual([true, next])
    }
  })
})

// The oracle must not be wrong in the same way: its own parts, on facts from elsewhere.
describe.skipIf(skip)(`the oracle${note}`, () => {
  const daily = (hour: number, minute: number): Pattern => ({
    text: `${minute} ${hour} * * *`,
    minutes: new Set([minute]),
    hours: new Set([hour]),
    days: new Set(Array.from({ length: 31 }, (_, index) => index + 1)),
    months: new Set(Array.from({ length: 12 }, (_, index) => index + 1)),
    weekdays: new Set([0, 1, 2, 3, 4, 5, 6]),
    star: { minute: false, hour: false, day: true, weekday: true },
  })
  const hourly: Pattern = { ...daily(0, 30), hours: new Set(Array.from({ length: 24 }, (_, hour) => hour)) }

  test('knows the clocks of zones', () => {
    const offsetsIn = (zone: string, from: string, to: string) =>
      segmentsOf(zone)
        .filter((segment) => segment.from >= Date.parse(from) && segment.from < Date.parse(to))
        .map((segment) => [new Date(segment.from).toISOString(), segment.offset / 60_000])
    expect(offsetsIn('America/New_York', '2026', '2027')).toEqual([
      ['2026-03-08T07:00:00.000Z', -240],
      ['2026-11-01T06:00:00.000Z', -300],
    ])
    // By the rule at the end of its file.
    expect(offsetsIn('Australia/Lord_Howe', '2090', '2091')).toEqual([
      ['2090-04-01T15:00:00.000Z', 630],
      ['2090-09-30T15:30:00.000Z', 660],
    ])
    expect(offsetsIn('Pacific/Apia', '2011-12', '2012')).toEqual([['2011-12-30T10:00:00.000Z', 840]])
    expect(offsetsIn('Asia/Tokyo', '1970', '2100')).toEqual([])
  })

  test.each([
    ['CET-1CEST,M3.5.0,M10.5.0/3', '2026-03-29T01:00:00.000Z', '2026-10-25T01:00:00.000Z'],
    ['IST-1GMT0,M10.5.0,M3.5.0/1', '2026-03-29T01:00:00.000Z', '2026-10-25T01:00:00.000Z'],
    ['<-02>2<-01>,M3.5.0/-1,M10.5.0/0', '2026-03-29T01:00:00.000Z', '2026-10-25T01:00:00.000Z'],
    ['EET-2EEST,M3.4.4/50,M10.4.4/50', '2026-03-28T00:00:00.000Z', '2026-10-23T23:00:00.000Z'],
    ['XXX3YYY,J60/0,J300/0', '2026-03-01T03:00:00.000Z', '2026-10-27T02:00:00.000Z'],
    ['XXX3YYY,59/0,299/0', '2026-03-01T03:00:00.000Z', '2026-10-27T02:00:00.000Z'],
  ])('reads the rule %s', (rule, ...changes) => {
    const of2026 = changesByRule(rule, 2026).filter(({ from }) => from >= Date.UTC(2026, 0, 1))
    expect(of2026.map(({ from }) => new Date(from).toISOString())).toEqual(changes)
  })

  test.each([
    ['a fixed time in the gap is due at its end', daily(2, 30), '2026-03-08T05:00Z', '2026-03-08T07:00:00.000Z'],
    ['a fixed time shown twice, first', daily(1, 30), '2026-11-01T04:00Z', '2026-11-01T05:30:00.000Z'],
    ['… and then not again', daily(1, 30), '2026-11-01T05:30Z', '2026-11-02T06:30:00.000Z'],
    [
      'real time, both',
      { ...hourly, star: { ...hourly.star, hour: true } },
      '2026-11-01T05:30Z',
      '2026-11-01T06:30:00.000Z',
    ],
    ['a range of hours, once', hourly, '2026-11-01T05:30Z', '2026-11-01T07:30:00.000Z'],
  ])('%s', (_, pattern, after, next) => {
    const found = nextByTheRule(pattern, segmentsOf('America/New_York'), Date.parse(after))
    expect(new Date(found!).toISOString()).toBe(next)
  })
})
