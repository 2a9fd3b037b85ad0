import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { StepFailed } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { afterFailure, createPlanTeller } from '../../src/service/plan-teller.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

const start = new Date('2026-11-21T16:00:00Z')
const later = (ms: number) => new Date(start.getTime() + ms)
const away = new StepFailed('forge_unavailable', 'GitHub is away', { retryable: true })
const limited = new StepFailed('forge_unavailable', 'slow down', { retryable: true, retryAfterMs: 3_600_000 })
const dayMs = 86_400_000

describe('after a comment could not be written', () => {
  test.each([
    [away, 1, 0, { inMs: 5000 }],
    [away, 3, 0, { inMs: 20_000 }],
    [away, 90, 3_600_000, { inMs: 600_000 }],
    [new Error('odd'), 1, 0, { inMs: 5000 }],
    [limited, 1, 0, { inMs: 3_600_000 }],
    [limited, 1, dayMs - 3_599_999, 'give_up'],
    [away, 1, dayMs, 'give_up'],
    [new StepFailed('too_large', 'refs/pull/7/head brings more than is fetched'), 1, 0, 'give_up'],
  ])('%s, try %i, after %i ms', (error, tries, ageMs, next) => {
    expect(afterFailure(error, { tries, ageMs })).toEqual(next)
  })

  test('it is never tried more than a day later, nor sooner than was asked for', () => {
    const any = fc.record({ tries: fc.integer({ min: 1, max: 5000 }), ageMs: fc.nat(2 * dayMs) })
    fc.assert(
      fc.property(any, fc.nat(2 * dayMs), (failure, retryAfterMs) => {
        const error = new StepFailed('forge_unavailable', 'no', { retryable: true, retryAfterMs })
        const next = afterFailure(error, failure)
        const inMs = next === 'give_up' ? undefined : next.inMs
        return inMs === undefined || (inMs >= Math.max(5000, retryAfterMs) && failure.ageMs + inMs <= dayMs)
      }),
    )
  })
})

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('the plans of pull requests', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    const told: number[] = []
    beforeEach(async () => {
      told.splice(0)
      await open.clear()
      await open.setClock(start)
    })
    const log = createLog('silent')
    const write = async (pull: number) => void told.push(pull)
    const server = (tell: Parameters<typeof createPlanTeller>[0]['tell'] = write) =>
      createPlanTeller({
        ledger: open.ledger,
        tell,
        addressOf: (pull) => `https://github.com/acme/shop/pull/${pull}`,
        log,
      })
    const states = async () =>
      (await open.ledger.outbox.list({ limit: 9 })).map(({ tries, sentAt, givenUpAt }) => [
        tries,
        !!sentAt,
        !!givenUpAt,
      ])

    test('are told once a delivery, however many servers hear of it', async () => {
      const servers = [server(), server(), server()]
      await Promise.all(servers.map((one) => one.heard({ pull: 7, delivery: 'd1' })))
      await Promise.all(servers.map((one) => one.tick()))
      expect(told).toEqual([7])
      await servers[0]!.heard({ pull: 7, delivery: 'd2' })
      await servers[0]!.tick()
      expect(told).toEqual([7, 7])
      expect(await states()).toEqual([
        [1, true, false],
        [1, true, false],
      ])
    })

    test('that were heard of while another one was told are told together', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const one = server(async (pull) => (await write(pull), promise))
      await one.heard({ pull: 7, delivery: 'd1' })
      await expect.poll(() => told).toEqual([7])
      await open.setClock(later(1000))
      for (const delivery of ['d2', 'd3', 'd4']) await one.heard({ pull: 7, delivery })
      await open.setClock(later(2000))
      resolve()
      await one.tick()
      expect(told).toEqual([7, 7])
      expect((await states()).every(([, isSent]) => isSent)).toBe(true)
    })

    test('are tried again after a pause, by whoever is there, and that is said once', async () => {
      using warned = vi.spyOn(log, 'warn')
      const failing = server(() => Promise.reject(away))
      await failing.heard({ pull: 7, delivery: 'd1' })
      await failing.tick()
      await open.setClock(later(6000))
      await failing.tick()
      expect(await states()).toEqual([[2, false, false]])
      expect(warned).toHaveBeenCalledTimes(1)
      const other = server()
      await other.tick()
      expect(told).toEqual([])
      await open.setClock(later(17_000))
      await other.tick()
      expect(told).toEqual([7])
      expect(await states()).toEqual([[3, true, false]])
    })

    test('wait for as long as GitHub says, and others do not', async () => {
      const one = server(async (pull) => (pull === 7 ? Promise.reject(limited) : write(pull)))
      await one.heard({ pull: 7, delivery: 'd1' })
      await one.heard({ pull: 8, delivery: 'd2' })
      await one.tick()
      expect(told).toEqual([8])
      await open.setClock(later(3_590_000))
      await server().tick()
      expect(told).toEqual([8])
      await open.setClock(later(3_700_000))
      await server().tick()
      expect(told).toEqual([8, 7])
    })

    test('that nobody could be told in a day are given up, which is on record, and a person may have them tried again', async () => {
      const one = server(() => Promise.reject(away))
      await one.heard({ pull: 7, delivery: 'd1' })
      await one.tick()
      await open.setClock(later(dayMs))
      await one.tick()
      const [row] = await open.ledger.outbox.list({ state: 'given_up', limit: 1 })
      expect(row).toMatchObject({ kind: 'plan.comment', error: 'GitHub is away' })
      await open.ledger.outbox.again(row!.id)
      await server().tick()
      expect(told).toEqual([7])
    })

    test('that a killed server was at are told by another one, when it had its time; one that stops gives them back', async () => {
      const killed = server(() => new Promise(() => {}))
      await killed.heard({ pull: 7, delivery: 'd1' })
      await expect.poll(states).toEqual([[1, false, false]])
      const stopping = server((_, signal) => {
        const aborted = Promise.withResolvers<never>()
        signal.addEventListener('abort', () => aborted.reject(away))
        return signal.aborted ? Promise.reject(away) : aborted.promise
      })
      await stopping.tick()
      await open.setClock(later(200_000))
      const ticking = stopping.tick()
      await expect.poll(states).toEqual([[2, false, false]])
      await stopping.stop()
      await ticking
      expect(await states()).toEqual([[1, false, false]])
      await server().tick()
      expect(told).toEqual([7])
    })
  })
})
