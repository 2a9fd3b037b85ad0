import { expect, onTestFinished, test, vi } from 'vitest'
import type { Log } from '../src/log.ts'
import { startTicking } from '../src/ticker.ts'

test('a beat left out is a line of the log, and nothing is printed beside it', async () => {
  const lines: unknown[] = []
  const keep = (...line: unknown[]) => lines.push(line)
  const log = { debug: keep, info: keep, warn: keep, error: keep } as unknown as Log
  const printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => {}),
  )
  onTestFinished(() => printed.forEach((spy) => spy.mockRestore()))
  const { promise, resolve } = Promise.withResolvers<void>()
  let acts = 0
  await using _ticking = startTicking(log, [{ name: 'slow', every: '* * * * * *', act: () => ((acts += 1), promise) }])
  await vi.waitFor(() => expect(lines).toContainEqual([{ tick: 'slow' }, expect.stringContaining('overlap')]), {
    timeout: 8000,
  })
  resolve()
  expect(acts).toBe(1)
  expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([])
})

test('a tick that fails for a while is told once, and once when it works again', async () => {
  const lines: string[] = []
  const keep = (_facts: unknown, text: string) => lines.push(text)
  const log = { debug: () => {}, info: keep, warn: keep, error: keep } as unknown as Log
  const works = Promise.withResolvers<void>()
  let acts = 0
  const act = async () => {
    acts += 1
    if (acts < 3) throw new Error('the ledger is away')
    if (acts > 3) works.resolve()
  }
  await using _ticking = startTicking(log, [{ name: 'scheduler', every: '* * * * * *', act }])
  await works.promise
  expect(lines).toEqual(['a tick failed; the next ones try again', 'a tick works again'])
})
