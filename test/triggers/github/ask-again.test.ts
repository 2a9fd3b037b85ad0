import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StepFailed } from '../../../src/errors.ts'
import { createLog } from '../../../src/log.ts'
import { choose, createAskAgain, type Attempt } from '../../../src/triggers/github/ask-again.ts'

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

type GitHub = { refuses?: (id: string) => Error | undefined; knowsCursor?: boolean }
/** A look at eight events that did not arrive, going on from where an earlier one stopped. */
async function look({ refuses = () => undefined, knowsCursor = true }: GitHub) {
  const asked: string[] = []
  const state = { value: { until: '2026-03-05T00:00:00Z', startedAt: now.toISOString(), cursor: 'c' } as object }
  const put = (_: string, value: object) => Promise.resolve(void (state.value = value))
  const ledger = {
    settings: { take: () => Promise.resolve(state.value), put },
    deliveries: { known: () => Promise.resolve(new Set()) },
    now: () => Promise.resolve(now),
  }
  const attempts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((guid) => attempt(guid, 5, { id: guid }))
  const deliveries = {
    page: (cursor: string | undefined) =>
      cursor === undefined || knowsCursor
        ? Promise.resolve({ attempts, next: undefined })
        : Promise.reject(new StepFailed('push_refused', 'GitHub does not know this cursor')),
    sendAgain(id: string) {
      asked.push(id)
      const error = refuses(id)
      return error ? Promise.reject(error) : Promise.resolve()
    },
  }
  const askAgain = createAskAgain({ ledger: ledger as never, deliveries, log: createLog('silent') })
  await askAgain.tick()
  return { asked: asked.join(''), state: () => state.value, tick: () => askAgain.tick().then(() => asked.join('')) }
}

describe('a look', () => {
  test('goes on after one that GitHub cannot send again', async () => {
    const { asked, state } = await look({
      refuses: (id) => (id === 'b' ? new StepFailed('no_checkout', 'not found') : undefined),
    })
    expect(asked).toBe('abcdefgh')
    expect(state()).toMatchObject({ missing: 8, asked: 7 })
    expect(state()).not.toHaveProperty('error')
  })

  test.each<[string, Error, string]>([
    ['nobody may ask', new StepFailed('forge_denied', 'no'), 'a'],
    ['too much was asked', new StepFailed('forge_unavailable', 'limit', { retryable: true, retryAfterMs: 1 }), 'a'],
    ['GitHub is away', new StepFailed('forge_unavailable', 'away', { retryable: true }), 'abcde'],
  ])('ends when %s', async (_, error, asked) => {
    const ended = await look({ refuses: () => error })
    expect(ended.asked).toBe(asked)
    expect(ended.state()).toMatchObject({ error: error.message, until: '2026-03-05T00:00:00Z' })
  })

  test('begins with the newest when GitHub does not know the page any more', async () => {
    const { asked, state, tick } = await look({ knowsCursor: false })
    expect(asked).toBe('')
    expect(state()).toMatchObject({ error: 'GitHub does not know this cursor', until: '2026-03-05T00:00:00Z' })
    expect(await tick()).toBe('abcdefgh')
  })
})
