import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concurrencyKeyOf, overlapFor, repositoryOf, type Occasion } from '../../src/runs/occasion.ts'
import { decideOverlap, sameInputs, type OverlapDecision, type Standing, type Wanted } from '../../src/runs/overlap.ts'
import { isDebounced, paceOf, startAfterJoin } from '../../src/runs/pace.ts'
import { readGood, routineText } from '../routines/reading/reading.ts'

const work = { subject: 'main', hash: 'h1', file: '/r/a.md', inputs: { scope: 'all' }, repositoryOverride: null }
const waits = (id: string, more: Partial<Standing['waiting'][number]> = {}) => ({
  id,
  isEarly: false,
  ...work,
  ...more,
})
const begun = (id: string, more: Partial<Standing['begun'][number]> = {}) => ({
  id,
  subject: 'main',
  alone: false,
  ...more,
})
const wanted = (mode: Wanted['mode'], more: Partial<Wanted> = {}): Wanted => ({
  ...work,
  mode,
  mayReplace: true,
  isDebounced: false,
  ...more,
})
const inLine = { act: 'accept', supersede: [], stop: [] }

describe('what becomes of an occasion', () => {
  test.each([
    ['nothing stands', { waiting: [], begun: [] }, wanted('queue_one'), inLine],
    ['one works', { waiting: [], begun: [begun('x')] }, wanted('queue_one'), inLine],
    ['the same waits', { waiting: [waits('a')], begun: [] }, wanted('queue_one'), { act: 'coalesce', into: 'a' }],
    [
      'other inputs wait: their place is taken, and their events',
      { waiting: [waits('a')], begun: [] },
      wanted('queue_one', { inputs: { scope: 'docs' } }),
      { act: 'accept', supersede: ['a'], stop: [], keepsEvents: true },
    ],
    [
      'another text waits',
      { waiting: [waits('a')], begun: [] },
      wanted('queue_one', { hash: 'h2' }),
      { act: 'accept', supersede: ['a'] },
    ],
    [
      'the same text elsewhere waits',
      { waiting: [waits('a')], begun: [] },
      wanted('queue_one', { file: '/other/a.md' }),
      { act: 'accept', supersede: ['a'] },
    ],
    [
      'another repository waits',
      { waiting: [waits('a')], begun: [] },
      wanted('queue_one', { repositoryOverride: '/x' }),
      { act: 'accept', supersede: ['a'] },
    ],
    [
      'one about another subject waits: both do',
      { waiting: [waits('a', { subject: 'pr-7' })], begun: [] },
      wanted('queue_one', { subject: 'pr-8', hash: 'h2' }),
      inLine,
    ],
    [
      'a retry of something old replaces nothing newer',
      { waiting: [waits('a')], begun: [] },
      wanted('queue_one', { hash: 'h0', mayReplace: false }),
      inLine,
    ],
    ['skip: nothing stands', { waiting: [], begun: [] }, wanted('skip'), inLine],
    ['skip: one waits', { waiting: [waits('a')], begun: [] }, wanted('skip'), { act: 'skip' }],
    ['skip: one works', { waiting: [], begun: [begun('x')] }, wanted('skip'), { act: 'skip' }],
    [
      'skip: somebody runs it alone',
      { waiting: [], begun: [begun('x', { alone: true })] },
      wanted('skip'),
      { act: 'skip' },
    ],
    ['queue_all: the same waits', { waiting: [waits('a')], begun: [begun('x')] }, wanted('queue_all'), inLine],
    [
      'cancel_running: one works, one waits',
      { waiting: [waits('a')], begun: [begun('x')] },
      wanted('cancel_running'),
      { act: 'accept', supersede: ['a'], stop: ['x'], keepsEvents: false },
    ],
    [
      'cancel_running: what is about something else goes on',
      { waiting: [waits('a', { subject: 'pr-7' })], begun: [begun('x', { subject: 'pr-7' })] },
      wanted('cancel_running', { subject: 'pr-8' }),
      inLine,
    ],
    [
      'cancel_running: nobody stops what somebody waits for',
      { waiting: [], begun: [begun('x', { alone: true })] },
      wanted('cancel_running'),
      inLine,
    ],
    [
      'cancel_running: a retry stops nothing',
      { waiting: [waits('a')], begun: [begun('x')] },
      wanted('cancel_running', { mayReplace: false }),
      inLine,
    ],
    ...(['skip', 'queue_one', 'queue_all', 'cancel_running'] as const).map(
      (mode) =>
        [
          `${mode}: a window is open`,
          { waiting: [waits('a', { isEarly: true })], begun: [begun('x')] },
          wanted(mode, { isDebounced: true }),
          { act: 'coalesce', into: 'a' },
        ] as const,
    ),
    [
      'queue_all: the window is over',
      { waiting: [waits('a')], begun: [] },
      wanted('queue_all', { isDebounced: true }),
      inLine,
    ],
    [
      'queue_all: what waits for another reason is no window',
      { waiting: [waits('a', { isEarly: true })], begun: [] },
      wanted('queue_all'),
      inLine,
    ],
  ] as const)('%s', (_, standing, asked, decision) => {
    expect(decideOverlap(standing, asked)).toMatchObject(decision)
  })

  const subject = fc.constantFrom('main', 'pr-7', 'pr-8')
  const standings = fc.record({
    waiting: fc.array(
      fc.record({ id: fc.uuid(), subject, isEarly: fc.boolean(), hash: fc.constantFrom('h1', 'h2') }).map((run) => ({
        ...work,
        ...run,
      })),
    ),
    begun: fc.array(fc.record({ id: fc.uuid(), subject, alone: fc.boolean() })),
  })
  const asked = fc
    .record({
      mode: fc.constantFrom('skip' as const, 'queue_one' as const, 'queue_all' as const, 'cancel_running' as const),
      subject,
      mayReplace: fc.boolean(),
      isDebounced: fc.boolean(),
    })
    .map((some) => ({ ...work, ...some }))

  const intoOf = (decision: OverlapDecision): string[] => (decision.act === 'coalesce' ? [decision.into] : [])

  test('whatever stands: only the same subject gives way, nobody who is waited for, and one that joins joins its own work', () => {
    fc.assert(
      fc.property(standings, asked, (standing, occasion) => {
        const decision = decideOverlap(standing, occasion)
        const subjectOf = (id: string) => [...standing.waiting, ...standing.begun].find((run) => run.id === id)?.subject
        const joined = intoOf(decision)
        const gone = decision.act === 'accept' ? [...decision.supersede, ...decision.stop] : []
        for (const id of [...joined, ...gone]) expect(subjectOf(id)).toBe(occasion.subject)
        const texts = standing.waiting.filter((run) => joined.includes(run.id)).map((run) => run.hash)
        expect(texts.every((hash) => hash === occasion.hash)).toBe(true)
        const loners = standing.begun.filter((run) => run.alone).map((run) => run.id)
        expect(gone.filter((id) => loners.includes(id))).toEqual([])
        expect(gone.length > 0 && !occasion.mayReplace).toBe(false)
        const isLeftOut = occasion.mode === 'skip' && standing.waiting.length + standing.begun.length > 0
        expect(decision.act === 'skip').toBe(isLeftOut && joined.length === 0)
      }),
    )
  })

  test('inputs are the same whatever their order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double(), fc.boolean())), (inputs) => {
        expect(sameInputs(inputs, Object.fromEntries(Object.entries(inputs).toReversed()))).toBe(true)
      }),
    )
  })
})

const occasion = (frontMatter: string, more: Partial<Occasion> = {}): Occasion => ({
  routine: readGood(routineText(frontMatter)),
  trigger: 'github',
  key: 'k',
  inputs: {},
  by: 'ada',
  ...more,
})

test.each([
  ['skip', 'github', 'skip'],
  ['skip', 'schedule', 'skip'],
  ['skip', 'manual', 'queue_one'],
  ['skip', 'retry', 'queue_one'],
  ['skip', 'backfill', 'queue_all'],
  ['cancel_running', 'manual', 'cancel_running'],
  ['cancel_running', 'backfill', 'queue_all'],
] as const)('overlap: %s, fired by %s: %s', (mode, trigger, applied) => {
  expect(overlapFor(occasion(`overlap: ${mode}`, { trigger }))).toBe(applied)
})

describe('the concurrency key', () => {
  const key = (template: string, more: Partial<Occasion> = {}) =>
    concurrencyKeyOf(occasion(`concurrency: ${JSON.stringify(template)}`, more))
  test.each([
    ['{{ event.pull_request.number }}', { event: { pull_request: { number: 7 } } }, '7'],
    ['{{ event.pull_request.number }}', { event: {} }, ''],
    ['{{ event.pull_request.number }}', {}, ''],
    ['pr {{ event.n }} ', { payload: { n: 'x' } }, 'pr x'],
    ['{{ event.a }}', { event: { a: '{{ event.b }}', b: 'never' } }, '{{ event.b }}'],
    ['{{ event.labels }}', { event: { labels: ['a'] } }, '["a"]'],
    ['{{ slot.at }}', { slotAt: new Date('2026-03-02T02:00:00Z') }, '2026-03-02T02:00:00.000Z'],
    ['the same for all', {}, 'the same for all'],
  ] as const)('%s of %j', (template, more, expected) => {
    expect(key(template, more)).toBe(expected)
  })

  test.each([
    ['too long', 'x'.repeat(201)],
    ['of no text the ledger keeps', 'a\0b'],
    ['of half a character', '\ud800'],
  ])('%s is a hash', (_, text) => {
    const hashed = key('{{ event.a }}', { event: { a: text } })
    expect(hashed).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(hashed).not.toBe(key('{{ event.a }}', { event: { a: `${text}!` } }))
  })
})

test.each([
  ['acme/shop', 'acme/shop'],
  ['https://github.com/acme/shop.git', 'acme/shop'],
  ['./shop', '/srv/routines/shop'],
  ['..', '/srv'],
  ['/srv/git/shop', '/srv/git/shop'],
])('runs on %s are counted as %s', (written, counted) => {
  expect(repositoryOf(occasion('', { repository: written }))).toBe(counted)
})

describe('debounce', () => {
  const now = new Date('2026-03-02T10:00:00Z')
  const after = (ms: number) => new Date(now.getTime() + ms)
  const minutes = (n: number) => n * 60_000
  const unpaced = { lastStart: undefined, begun: 0 }

  test.each([
    ['github', '{ wait: 2m, max: 10m }', minutes(2)],
    ['api', '{ wait: 2m }', minutes(2)],
    ['routine', '{ wait: 30s }', 30_000],
    ['schedule', '{ wait: 2m }', 0],
    ['manual', '{ wait: 2m }', 0],
  ] as const)('fired by %s, %s: starts after %d ms', (trigger, debounce, ms) => {
    expect(paceOf(occasion(`debounce: ${debounce}`, { trigger }), now, unpaced).notBefore).toEqual(after(ms))
  })

  test('nobody who waits for exactly this run waits for more events', () => {
    expect(isDebounced(occasion('debounce: { wait: 2m }', { alone: true, trigger: 'api' }))).toBe(false)
  })

  test('events move the start, never past max, never to sooner, and not when it is due', () => {
    const ms = fc.integer({ min: 1, max: minutes(60) })
    fc.assert(
      fc.property(ms, fc.array(fc.integer({ min: 0, max: minutes(5) }), { maxLength: 20 }), (waitMs, gaps) => {
        const debounce = { waitMs, maxMs: waitMs * 3 }
        let [time, start] = [now.getTime(), after(waitMs)]
        for (const gap of gaps) {
          time += gap
          const next = startAfterJoin({ causedAt: now, notBefore: start }, debounce, new Date(time))
          const wanted = Math.max(start.getTime(), Math.min(time + waitMs, after(3 * waitMs).getTime()))
          expect(next.getTime()).toBe(start.getTime() <= time ? start.getTime() : wanted)
          expect(next.getTime()).toBeLessThanOrEqual(after(3 * waitMs).getTime())
          expect(next.getTime()).toBeGreaterThanOrEqual(start.getTime())
          start = next
        }
      }),
    )
  })
})
