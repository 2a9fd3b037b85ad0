import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, processesCalled, sandboxes, until, type Crew } from '../support/crew.ts'

// Limits, cancelling and waiting: what ends a run that does not end by itself.
let crew: Crew
beforeAll(async () => {
  crew = await openCrew({ OVERNIGHT_CONCURRENCY: '6' })
})
afterAll(() => crew[Symbol.asyncDispose]())

const unique = () => `9000.${Number.parseInt(randomUUID().slice(0, 8), 16)}`
const limit = { minutes: 0.03 }
const limitSeconds = limit.minutes * 60
/** Its children left its session, and none of them obeys. */
const stubborn = (seconds: string) => `trap '' TERM INT HUP; echo changed > README.md
  (setsid sh -c 'trap "" TERM HUP; (setsid sleep ${seconds} &); sleep ${seconds}; sleep ${seconds}' &)
  echo up; while :; do sleep ${seconds}; done`

type Told = { state: string; events: { data: { state?: string } }[] }

async function cancel(run: string): Promise<number> {
  const asked = performance.now()
  await crew.service.post(`/v1/runs/${run}/cancel`)
  const ended = await crew.settled(run)
  expect(ended).toMatchObject({ state: 'cancelled', reason: 'cancelled', pullRequest: null })
  return performance.now() - asked
}

describe.for(sandboxes)('$title', ({ sandbox, skip }) => {
  const more = { sandbox }

  describe.skipIf(skip)('a time limit', () => {
    const seconds = unique()
    const agents: [name: string, script: string][] = [
      ['hangs', 'echo changed > README.md; sleep 600'],
      ['obeys-nothing', stubborn(seconds)],
      ['closed-its-output', 'echo changed > README.md; exec >/dev/null 2>&1; sleep 600'],
      ['stopped-itself', 'echo changed > README.md; kill -STOP $$'],
    ]
    const runs = new Map<string, Promise<string>>()
    beforeAll(() => {
      for (const [name, sh] of agents) {
        runs.set(name, crew.start(`${name}-${sandbox}`, { sh, more: { sandbox, limits: limit } }))
      }
    })

    test.for(agents)('ends one that %s, and keeps what it had changed', async ([name]) => {
      const run = await runs.get(name)!
      const ended = await crew.settled(run)
      expect(ended).toMatchObject({
        state: 'timed_out',
        reason: 'time_limit',
        message: 'the time limit was reached; what it had changed is kept',
        pullRequest: null,
      })
      expect(ended.seconds).toBeGreaterThanOrEqual(limitSeconds)
      expect(ended.seconds).toBeLessThan(limitSeconds + 15)
      expect(await crew.diff(run)).toContain('+changed')
      await crew.nothingLeft(run)
    })

    test('leaves nothing of all that', async () => {
      await Promise.all([...runs.values()].map(async (run) => crew.settled(await run)))
      expect(await processesCalled(`sleep ${seconds}`)).toEqual([])
    })

    test('does not count the time a run waits for another', async () => {
      const routine = `waits-${sandbox}`
      const first = await crew.start(routine, { sh: 'sleep 600', more })
      await crew.reaches(first, 'working')
      const second = await crew.start(routine, { sh: 'echo changed > README.md', more: { sandbox, limits: limit } })
      const since = performance.now()
      await until(20, async () => (performance.now() - since > limitSeconds * 1000 + 500 ? [] : ['time']))
      expect(await crew.service.get(`/v1/runs/${second}`)).toMatchObject({ state: 'queued', seconds: null })
      await cancel(first)
      expect(await crew.settled(second)).toMatchObject({ state: 'published' })
    })
  })

  describe.skipIf(skip || sandbox === 'process')('what it may take', () => {
    test.for([
      ['memory: 64MB', 'out_of_memory', `exec node -e 'const held = []; for (;;) held.push(Buffer.alloc(2 ** 24, 1))'`],
      ['disk: 64MB', 'out_of_room', 'head -c 128M /dev/zero >full; code=$?; rm full; exit $code'],
    ] as const)('%s: the run says so, and keeps what was changed', async ([limit, reason, script], { skip }) => {
      const [key, value] = limit.split(': ')
      const sh = `echo changed > README.md; ${script}`
      const run = await crew.start(`takes-${key}-${sandbox}`, { sh, more: { sandbox, limits: { [key!]: value } } })
      const ended = await crew.settled(run)
      const page = await (await crew.service.fetch(`/runs/${run}`)).text()
      skip(page.includes('memory is not limited') && key === 'memory', 'no cgroups here')
      expect(ended).toMatchObject({ state: 'failed', reason, message: expect.stringContaining('is kept') })
      expect(await crew.diff(run)).toContain('+changed')
      expect(page).toContain(`limits.${key}`)
      await crew.nothingLeft(run)
    })
  })

  describe.skipIf(skip)('a person cancels', () => {
    test.for([
      ['one at work', 'echo changed > README.md; echo up; sleep 600'],
      ['one that obeys nothing', undefined],
      ['one that floods', 'echo up; exec yes "a line that is neither short nor long"'],
    ] as const)('%s: within five seconds it has ended, with everything it started', async ([, script]) => {
      const seconds = unique()
      const run = await crew.start(`cancelled-${sandbox}`, { sh: script ?? stubborn(seconds), more })
      await until(20, async () => ((await crew.said(run)).includes('up') ? [] : ['silence']))
      expect(await cancel(run)).toBeLessThan(5000)
      await crew.nothingLeft(run)
      expect(await processesCalled(`sleep ${seconds}`)).toEqual([])
    })

    test('one that waits: it ends at once and never starts', async () => {
      const busy = await crew.start(`busy-${sandbox}`, { sh: 'sleep 600', more })
      await crew.reaches(busy, 'working')
      const waiting = await crew.start(`busy-${sandbox}`, { sh: 'echo changed > README.md', more })
      expect(await cancel(waiting)).toBeLessThan(2000)
      await cancel(busy)
      const ended = await crew.service.get<Told>(`/v1/runs/${waiting}`)
      expect(ended).toMatchObject({ state: 'cancelled', seconds: null })
      expect(ended.events.map(({ data }) => data.state)).toEqual(['cancelled'])
      const again = await crew.service.fetch(`/v1/runs/${waiting}/cancel`, { method: 'POST' })
      expect([again.status, await again.text()]).toEqual([409, expect.stringContaining('has already ended: cancelled')])
      await crew.nothingLeft(waiting)
    })
  })
})
