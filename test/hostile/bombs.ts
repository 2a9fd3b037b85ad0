import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processesCalled, until, type Settled } from '../support/crew.ts'
import type { House } from './house.ts'

type Bomb = {
  what: string
  sh: string
  /** Seconds after which its run is over by its time limit; without, another limit ends it, in this many at the most. */
  timeLimit?: number
  ends: { state: string; reason: string }
}
/** So long after a limit a run may still be there. */
const graceSeconds = 15
const patienceSeconds = 45
const timedOut = { state: 'timed_out', reason: 'time_limit' }
const full = { state: 'failed', reason: 'out_of_room' }
/** Three times as many as there is room for; then it waits, so that it is the limit that ends it. */
const files = `const fs = require('node:fs'); for (let n = 0; n < 2e5; n++) fs.closeSync(fs.openSync('file-' + n, 'w')); setInterval(() => {}, 1000)`

const bombsOf = (mark: string): Bomb[] => [
  {
    what: 'processes without end',
    sh: 'bomb() { while :; do bomb & done; }; bomb 2>/dev/null & exec sleep 600',
    timeLimit: 4,
    ends: timedOut,
  },
  {
    what: 'what ignores every signal, left its session, and was left by its parents',
    sh: `trap '' TERM INT HUP; (setsid sh -c 'trap "" TERM INT HUP; (setsid sleep ${mark} &); sleep ${mark}' &); while :; do sleep ${mark}; done`,
    timeLimit: 4,
    ends: timedOut,
  },
  { what: 'output without end or newline', sh: 'exec cat /dev/zero', timeLimit: 5, ends: timedOut },
  { what: 'lines without end', sh: 'exec yes "neither short nor long"', timeLimit: 5, ends: timedOut },
  { what: 'two hundred thousand files', sh: `exec node -e "${files}"`, ends: full },
  { what: 'a file without end', sh: 'cat /dev/zero >full', ends: full },
  {
    what: 'large files without end',
    sh: 'n=0; while :; do n=$((n+1)); head -c 16M /dev/zero >"full-$n"; done',
    ends: full,
  },
]

/** `leftOf`: what the walls themselves may leave of a run. */
export function bombsGoOffInside(
  open: () => House,
  { sandbox, leftOf = async () => [] }: { sandbox: string; leftOf?: (run: string) => Promise<string[]> },
): void {
  describe('a bomb goes off inside its limits, its run says which one, and nothing of it is left', () => {
    const mark = `9000.${process.pid}`
    const bombs = bombsOf(mark)
    const runs = new Map<string, string>()
    const ended = new Map<string, Settled>()
    beforeAll(async () => {
      const { crew, start } = open()
      for (const [index, { what, sh, timeLimit = 60 }] of bombs.entries()) {
        const limits = { minutes: timeLimit / 60, memory: '256MB', disk: '64MB', processes: 100, cpus: 0.4 }
        runs.set(
          what,
          await start(`bomb-${index}-${sandbox}`, {
            repository: open().repositories[0],
            sh,
            more: { sandbox, limits },
          }),
        )
      }
      await Promise.all([...runs].map(async ([what, run]) => ended.set(what, await crew.settled(run))))
    }, 200_000)
    afterAll(async () => {
      const { crew } = open()
      const left = await processesCalled(`sleep ${mark}`)
      if (left.length > 0) throw new Error(`left running: ${left.join(', ')} (${crew.service.pid})`)
    })

    test.each(bombs)('$what', async ({ what, timeLimit = patienceSeconds, ends }) => {
      const { crew } = open()
      const one = ended.get(what)!
      expect(one).toMatchObject(ends)
      expect(one.seconds).toBeLessThan(timeLimit + graceSeconds)
      await crew.nothingLeft(one.run)
      await until(8, async () => [...namedAfter(one.run), ...(await leftOf(one.run))])
      expect(keptBytes(join(crew.place.data, 'transcripts', one.run))).toBeLessThan(10 * 2 ** 20)
    })

    test('and whoever comes next finds everything as it was', async () => {
      const { crew, start, repositories } = open()
      const sh = 'ls; (sleep 0; sleep 0) & wait; echo next >next.txt'
      const run = await start(`next-${sandbox}`, { repository: repositories[0], sh, more: { sandbox } })
      expect(await crew.settled(run)).toMatchObject({ state: 'published', files: 1 })
      expect(await crew.said(run)).toBe('README.md\nbait.txt\n')
    })
  })
}

/** Mounts of this machine, and groups of processes. */
function namedAfter(run: string): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const folders = ['memory', 'pids', 'cpu', '.'].flatMap((name) => namesIn(join('/sys/fs/cgroup', name)))
  return [...mounts, ...folders].filter((one) => one.includes(run))
}

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function keptBytes(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}
