import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Log } from '../src/log.ts'
import { startTicking } from '../src/ticker.ts'

// Beats are by Date and setTimeout, so the seconds between beats need not be spent.
beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-20T02:00:00.500Z') })
  onTestFinished(() => void vi.useRealTimers())
})

function keepLog() {
  const lines: [facts: unknown, text: string][] = []
  const keep = (facts: unknown, text: string) => lines.push([facts, text])
  return { lines, log: { debug: keep, info: keep, warn: keep, error: keep } as unknown as Log }
}

test('a beat left out is a line of the log, and nothing is printed beside it', async () => {
  const { lines, log } = keepLog()
  const printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => {}),
  )
  onTestFinished(() => printed.forEach((spy) => spy.mockRestore()))
  const { promise, resolve } = Promise.withResolvers<void>()
  let acts = 0
  await using _ticking = startTicking(log, [{ name: 'slow', every: '* * * * * *', act: () => ((acts += 1), promise) }])
  await vi.advanceTimersByTimeAsync(2000)
  expect(acts).toBe(1)
  expect(lines).toContainEqual([{ tick: 'slow' }, expect.stringContaining('left out')])
  expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([])
  resolve()
  await vi.advanceTimersByTimeAsync(2000)
  expect(acts).toBeGreaterThan(1)
})

test('a tick that fails for a while is told once, and once when it works again', async () => {
  const { lines, log } = keepLog()
  let acts = 0
  const act = async () => {
    acts += 1
    if (acts < 3) throw new Error('the ledger is away')
  }
  await using _ticking = startTicking(log, [{ name: 'scheduler', every: '* * * * * *', act }])
  await vi.advanceTimersByTimeAsync(2000)
  expect(acts).toBe(2)
  expect(lines.map(([, text]) => text)).toEqual(['a tick failed; the next ones try again'])
  await vi.advanceTimersByTimeAsync(2000)
  expect(acts).toBe(4)
  expect(lines.map(([, text]) => text)).toEqual(['a tick failed; the next ones try again', 'a tick works again'])
})

const yearMs = 365 * 86_400_000

test.each([
  ['back by half a second', -500],
  ['back by an hour', -3_600_000],
  ['back by a year', -yearMs],
  ['forward by an hour', 3_600_000],
  ['forward by a year', yearMs],
])('a clock that is set %s is no pause: a beat a second, as before', async (_, ms) => {
  const { lines, log } = keepLog()
  let acts = 0
  await using _ticking = startTicking(log, [{ name: 'scheduler', every: '* * * * * *', act: async () => (acts += 1) }])
  await vi.advanceTimersByTimeAsync(3000)
  expect(acts).toBe(3)
  vi.setSystemTime(Date.now() + ms)
  const startedAt = process.cpuUsage()
  await vi.advanceTimersByTimeAsync(10_000)
  expect([12, 13, 14]).toContain(acts)
  // node-cron alone would count every second of the year here.
  expect(process.cpuUsage(startedAt).user).toBeLessThan(1_000_000)
  expect(lines).toEqual([])
})

test('nothing beats any more once it was stopped', async () => {
  const { log } = keepLog()
  let acts = 0
  const ticking = startTicking(log, [{ name: 'scheduler', every: '* * * * * *', act: async () => (acts += 1) }])
  await vi.advanceTimersByTimeAsync(2000)
  await ticking[Symbol.asyncDispose]()
  expect(vi.getTimerCount()).toBe(0)
  await vi.advanceTimersByTimeAsync(2000)
  expect(acts).toBe(2)
})
