import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { StepFailed } from '../../../src/errors.ts'
import { createLog, type Log } from '../../../src/log.ts'
import { choose, createAskAgain, type Attempt } from '../../../src/triggers/github/ask-again.ts'
import { missedIn } from '../../../src/triggers/github/missed.ts'

const now = new Date('2026-03-05T12:00:00Z')
const attempt = (guid: string, minutesAgo: number, more: Partial<Attempt> = {}): Attempt => ({
  id: `${guid} ${minutesAgo}`,
  guid,
  deliveredAt: new Date(now.getTime() - minutesAgo * 60_000),
  event: 'push',
  isOk: false,
  ...more,
})
const chosen = (attempts: Attempt[], ...known: string[]) => choose(attempts, new Set(known), now).map(({ id }) => id)

describe('what is asked for again', () => {
  test.each<[string, Attempt[], string[], string[]]>([
    ['one that failed', [attempt('a', 5)], [], ['a 5']],
    ['one that is on record, whatever GitHub heard', [attempt('a', 5)], ['a'], []],
    ['one that a later attempt delivered', [attempt('a', 5, { isOk: true }), attempt('a', 60)], [], []],
    ['of several attempts the last', [attempt('a', 60), attempt('a', 30), attempt('a', 90)], [], ['a 30']],
    ['one that GitHub has forgotten', [attempt('a', 3 * 1440 + 1)], [], []],
    ['one that failed five times', [1, 2, 3, 4, 5].map((hours) => attempt('a', hours * 60)), [], []],
    ['each of several', [attempt('a', 5), attempt('b', 6), attempt('c', 7)], ['b'], ['a 5', 'c 7']],
  ])('%s', (_, attempts, known, expected) => expect(chosen(attempts, ...known)).toEqual(expected))

  test('is no delivery twice, and none that arrived', () => {
    const any = fc.record({
      guid: fc.constantFrom('a', 'b', 'c'),
      minutes: fc.integer({ min: 0, max: 6000 }),
      isOk: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), fc.subarray(['a', 'b', 'c']), (all, known) => {
        const attempts = all.map(({ guid, minutes, isOk }) => attempt(guid, minutes, { isOk }))
        const again = choose(attempts, new Set(known), now)
        expect(new Set(again.map(({ guid }) => guid)).size).toBe(again.length)
        for (const { guid } of again) {
          expect(known).not.toContain(guid)
          expect(attempts.some((one) => one.guid === guid && one.isOk)).toBe(false)
        }
      }),
    )
  })
})

type GitHub = {
  refuses?: (id: string) => Error | undefined
  knowsCursor?: boolean
  places?: readonly string[]
  hidden?: (place: string) => Error | undefined
  log?: Log
}
/** A look at eight events of each place that did not arrive, going on from where an earlier one of `here` stopped. */
async function look(github: GitHub) {
  const { refuses = () => undefined, knowsCursor = true, places = ['here'], hidden = () => undefined } = github
  const asked: string[] = []
  const begun = { until: '2026-03-05T00:00:00Z', startedAt: now.toISOString(), cursor: 'c', missing: 0, asked: 0 }
  const before = { lookedAt: now.toISOString(), asked: 0, looks: { 'here 1': begun } }
  const state = { value: { places: { here: before } } as Record<string, unknown> }
  const put = (_: string, value: Record<string, unknown>) => Promise.resolve(void (state.value = value))
  const ledger = {
    settings: { take: () => Promise.resolve(state.value), put },
    deliveries: { known: () => Promise.resolve(new Set()) },
    now: () => Promise.resolve(now),
  }
  const attempts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((guid) => attempt(guid, 5, { id: guid }))
  const hookAt = (place: string) => ({
    name: `${place} 1`,
    page: (cursor: string | undefined) =>
      cursor === undefined || knowsCursor
        ? Promise.resolve({ attempts, next: undefined })
        : Promise.reject(new StepFailed('push_refused', 'GitHub does not know this cursor')),
    sendAgain(id: string) {
      asked.push(id)
      const error = refuses(id)
      return error ? Promise.reject(error) : Promise.resolve()
    },
  })
  const askAgain = createAskAgain({
    ledger: ledger as never,
    places: async () =>
      places.map((name) => ({
        name,
        async hooks() {
          const error = hidden(name)
          if (error) throw error
          return [hookAt(name)]
        },
      })),
    log: github.log ?? createLog('silent'),
  })
  await askAgain.tick()
  return {
    asked: asked.join(''),
    at: (place: string) => missedIn(state.value)[place],
    places: () => Object.keys(missedIn(state.value)),
    tick: () => askAgain.tick().then(() => asked.join('')),
  }
}

describe('a look', () => {
  test('goes on after one that GitHub cannot send again', async () => {
    const { asked, at } = await look({
      refuses: (id) => (id === 'b' ? new StepFailed('no_checkout', 'not found') : undefined),
    })
    expect(asked).toBe('abcdefgh')
    expect(at('here')).toMatchObject({ asked: 7, looks: { 'here 1': { missing: 8, asked: 7 } } })
    expect(at('here')).not.toHaveProperty('error')
  })

  test.each<[string, Error, string]>([
    ['nobody may ask', new StepFailed('forge_denied', 'no'), 'a'],
    ['too much was asked', new StepFailed('forge_unavailable', 'limit', { retryable: true, retryAfterMs: 1 }), 'a'],
    ['GitHub is away', new StepFailed('forge_unavailable', 'away', { retryable: true }), 'abcde'],
  ])('ends when %s', async (_, error, asked) => {
    const ended = await look({ refuses: () => error })
    expect(ended.asked).toBe(asked)
    expect(ended.at('here')).toMatchObject({
      error: error.message,
      looks: { 'here 1': { until: '2026-03-05T00:00:00Z' } },
    })
  })

  test('begins with the newest when GitHub does not know the page any more', async () => {
    const { asked, at, tick } = await look({ knowsCursor: false })
    expect(asked).toBe('')
    expect(at('here')).toMatchObject({
      error: 'GitHub does not know this cursor',
      looks: { 'here 1': { until: '2026-03-05T00:00:00Z' } },
    })
    expect(await tick()).toBe('abcdefgh')
    expect(at('here')).not.toHaveProperty('error')
  })

  test('goes on at another repository where one is hidden, which is said once and with what to do', async () => {
    const log = createLog('silent')
    using warned = vi.spyOn(log, 'warn')
    const denied = new StepFailed('forge_denied', 'the token may not see them', { hint: 'give it the right' })
    const { asked, at, tick } = await look({
      places: ['here', 'there'],
      hidden: (place) => (place === 'here' ? denied : undefined),
      log,
    })
    expect(asked).toBe('abcdefgh')
    await tick()
    expect(warned.mock.calls).toEqual([
      [{ at: 'here', error: denied.message, hint: 'give it the right' }, expect.any(String)],
    ])
    // What was known of it is for when it can be seen again.
    expect(at('here')).toMatchObject({ error: denied.message, looks: { 'here 1': { cursor: 'c' } } })
  })

  test('asks nobody else while GitHub is away, and begins with them the next time', async () => {
    const order: string[] = []
    const places = Array.from({ length: 60 }, (_, index) => `place ${index}`)
    const away = { is: true }
    const { tick } = await look({
      places,
      hidden(place) {
        order.push(place)
        return away.is ? new StepFailed('forge_unavailable', 'away', { retryable: true }) : undefined
      },
    })
    expect(order).toEqual(['place 0'])
    away.is = false
    await tick()
    expect(order.length).toBe(51)
    await tick()
    expect(new Set(order)).toEqual(new Set(places))
  })

  test('forgets places that nothing hears of any more', async () => {
    const { places } = await look({ places: ['elsewhere'] })
    expect(places()).toEqual(['elsewhere'])
  })
})
