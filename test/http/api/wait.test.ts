import { expect, test } from 'vitest'
import { createNews } from '../../../src/http/news.ts'
import { waitForEnd } from '../../../src/http/api/wait.ts'
import type { Run, RunState } from '../../../src/ledger/schema.ts'

/** A run whose state is changed by hand; counts how often it was read. */
function openRun(state: RunState = 'working') {
  const run = { id: 'a', state } as Run
  const news = createNews()
  const reads = { count: 0, next: Promise.withResolvers<void>() }
  const find = (id: string) => {
    reads.count += 1
    reads.next.resolve()
    return Promise.resolve(id === 'a' ? { ...run } : undefined)
  }
  const gone = new AbortController()
  return {
    news,
    reads,
    gone,
    becomes(state: RunState) {
      run.state = state
      news.tell('a', 'state')
    },
    wait: (seconds: number, id = 'a') =>
      waitForEnd({ news, ledger: { runs: { find } } }, id, { seconds, signal: gone.signal }),
  }
}

test('one that has ended is answered at once, one that never was, too', async () => {
  expect((await openRun('published').wait(200))?.state).toBe('published')
  expect(await openRun().wait(200, 'b')).toBeUndefined()
})

test('it ends with the run, and reads only when the state has changed', async () => {
  const run = openRun('queued')
  const waiting = run.wait(200)
  await run.reads.next.promise
  for (let index = 0; index < 1000; index += 1) run.news.tell('a', 'output')
  run.news.tell('other', 'state')
  run.reads.next = Promise.withResolvers()
  run.becomes('working')
  await run.reads.next.promise
  run.becomes('failed')
  expect((await waiting)?.state).toBe('failed')
  expect(run.reads.count).toBe(3)
})

test('an ending that is told while the run is read is not missed', async () => {
  const run = openRun()
  const waiting = run.wait(200)
  run.becomes('cancelled')
  expect((await waiting)?.state).toBe('cancelled')
})

test('news of whatever kind that may have been missed makes it look again', async () => {
  const run = openRun()
  const waiting = run.wait(200)
  await run.reads.next.promise
  run.becomes('working')
  run.reads.next = Promise.withResolvers()
  run.news.tell(undefined, 'state')
  await run.reads.next.promise
  run.becomes('unchanged')
  expect((await waiting)?.state).toBe('unchanged')
})

test('it ends when its time is over, or when nobody waits any more', async () => {
  expect((await openRun().wait(0))?.state).toBe('working')
  expect((await openRun().wait(0.01))?.state).toBe('working')
  const run = openRun()
  const waiting = run.wait(200)
  await run.reads.next.promise
  run.gone.abort()
  expect((await waiting)?.state).toBe('working')
})

test('a ledger that is away is told to who waits, who then waits no more', async () => {
  const news = createNews()
  const find = () => Promise.reject(new Error('away'))
  const signal = new AbortController().signal
  await expect(waitForEnd({ news, ledger: { runs: { find } } }, 'a', { seconds: 200, signal })).rejects.toThrow('away')
})
