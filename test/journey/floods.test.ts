import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setTimeout as delay } from 'node:timers/promises'
import { openCrew, sandboxes, type Crew } from '../support/crew.ts'

// An agent that prints without end costs bounded memory and disk, and the service goes on answering.
const capBytes = 256 * 1024
let crew: Crew
beforeAll(async () => {
  crew = await openCrew({ OVERNIGHT_TRANSCRIPT_KB: String(capBytes / 1024) })
})
afterAll(() => crew[Symbol.asyncDispose]())

const residentBytes = async () => {
  const status = await readFile(`/proc/${crew.service.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024
}

async function keptBytes(run: string): Promise<number> {
  const folder = join(crew.place.data, 'transcripts', run)
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined)
      return found?.isFile() ? found.size : 0
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Looks at the service all the while the run goes: how big it gets, how much is kept, how long its answers take. */
async function watch(run: string) {
  const seen = { resident: 0, kept: 0, slowestMs: 0, pages: 0 }
  for (let state = 'queued'; ['queued', 'preparing', 'working', 'collecting'].includes(state);) {
    const asked = performance.now()
    const page = await crew.service.fetch(`/runs/${run}`)
    await page.arrayBuffer()
    seen.slowestMs = Math.max(seen.slowestMs, performance.now() - asked)
    seen.pages += page.status === 200 ? 1 : 0
    seen.resident = Math.max(seen.resident, await residentBytes())
    seen.kept = Math.max(seen.kept, await keptBytes(run))
    state = (await crew.service.get<{ state: string }>(`/v1/runs/${run}`)).state
    await delay(200)
  }
  return seen
}

/** A reader of the live stream: how many events came, and whether the last was the ending. */
async function follow(run: string): Promise<{ events: number; leftOut: number; ended: boolean }> {
  const answer = await crew.service.fetch(`/v1/runs/${run}/events`)
  const read = { events: 0, leftOut: 0, ended: false }
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    read.events += chunk.split('event: ').length - 1
    read.leftOut += chunk.split('event: left_out').length - 1
    read.ended ||= chunk.includes('"state":"unchanged"')
  }
  return read
}

describe.for(sandboxes)('$title', ({ sandbox, skip }) => {
  describe.skipIf(skip)('400 MB', () => {
    test.for([
      [
        'in lines',
        'echo first; yes "a line of output that is neither short nor long" | head -c 400000000; echo; echo last',
      ],
      ['without newlines', 'echo first; head -c 400000000 /dev/zero; echo; echo last'],
    ] as const)('%s', async ([, sh]) => {
      // A small one first: the first pages and streams a Node makes cost it once, and that is not the flood.
      const small = await crew.start(`trickles-${sandbox}`, { sh: 'head -c 50000000 /dev/zero', more: { sandbox } })
      await Promise.all([watch(small), follow(small)])
      await crew.nothingLeft(small)
      const before = await residentBytes()
      const run = await crew.start(`floods-${sandbox}`, { sh, more: { sandbox } })
      const [seen, read] = await Promise.all([watch(run), follow(run)])
      const ended = await crew.settled(run)
      const said = await crew.said(run)
      expect(ended).toMatchObject({ state: 'unchanged' })
      // A third of it: what a busy machine has not collected yet is some 70 MB, whatever the flood's length. A gigabyte: the readers of sandboxes.
      expect(seen.resident - before).toBeLessThan(128 * 1024 * 1024)
      expect(Math.max(seen.kept, await keptBytes(run))).toBeLessThanOrEqual(capBytes + 64 * 1024)
      expect(said).toMatch(/^first\n/)
      expect(said).toMatch(/\nlast\n$/)
      expect(seen.pages).toBeGreaterThan(3)
      expect(seen.slowestMs).toBeLessThan(5000)
      expect(read.ended).toBe(true)
      expect(read.leftOut).toBeGreaterThan(0)
      await crew.nothingLeft(run)
    })
  })
})
