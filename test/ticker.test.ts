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
