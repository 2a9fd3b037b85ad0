import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { git } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { openPlace, type Place } from '../support/place.ts'
import { openSmallDisk, whyNoSmallDisk, type SmallDisk } from '../support/small-disk.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

const mb = 1024 * 1024
const disk = need(whyNoSmallDisk())
const blind = resolve(import.meta.dirname, '../faults/blind-to-space.ts')

/** The data folder alone is on the small disk: repository and routines are where they were. */
async function openOnSmallDisk(place: Place): Promise<SmallDisk> {
  const small = await openSmallDisk(place.data, 200)
  cpSync(join(place.data, 'ledger'), join(small.path, 'ledger'), { recursive: true })
  return small
}
const fire = (service: ServiceProcess, key: string) =>
  service.fetch('/v1/routines/note/fire', { method: 'POST', headers: { 'idempotency-key': key } })
const health = async (service: ServiceProcess) => {
  const answer = await service.fetch('/health')
  const { state } = (await answer.json()) as { state: string }
  return { status: answer.status, state }
}

describe.skipIf(disk.skip)(`a full disk${disk.note}`, () => {
  test('nothing is acknowledged that is not kept; with space again it goes on by itself', async () => {
    using place = await openPlace()
    place.routine('note')
    await using small = await openOnSmallDisk(place)
    const { within } = small
    {
      await using service = await place.start({ within })
      const first = (await (await fire(service, 'before')).json()) as { run: string }
      expect(await untilSettled(service, first.run)).toMatchObject({ state: 'published' })
      expect(await health(service)).toEqual({ status: 200, state: 'ok' })

      for (const leave of [16 * mb, 0]) {
        small.fill(leave)
        for (let index = 0; index < 20; index++) {
          const answer = await fire(service, `full-${leave}-${index}`)
          expect(answer.status).toBe(503)
          expect(await answer.json()).toMatchObject({
            title: 'disk_full',
            hint: expect.stringContaining('free some space') as string,
          })
        }
        for (const path of [`/v1/runs/${first.run}/retry`, '/v1/runs']) {
          const body = JSON.stringify({
            file: '/x/once.md',
            text: '---\nengine: { name: command, command: ["true"] }\n---\n',
          })
          const answer = await service.fetch(path, {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/json' },
          })
          expect([path, answer.status]).toEqual([path, 503])
        }
        expect(await health(service)).toEqual({ status: 503, state: 'degraded' })
        // Who reads is served all the same.
        for (const path of [
          '/v1/runs',
          `/v1/runs/${first.run}`,
          '/v1/pulls',
          '/v1/routines',
          '/',
          `/runs/${first.run}`,
        ]) {
          expect([path, (await service.fetch(path)).status]).toEqual([path, 200])
        }
      }

      small.free()
      await expect.poll(() => health(service), { timeout: 5000 }).toEqual({ status: 200, state: 'ok' })
      const after = (await (await fire(service, 'full-0-3')).json()) as { run: string; fresh: boolean }
      expect(after.fresh).toBe(true)
      expect(await untilSettled(service, after.run)).toMatchObject({ state: 'unchanged' })
      const { runs } = await service.get<{ runs: { run: string }[] }>('/v1/runs')
      expect(runs.map(({ run }) => run)).toEqual([after.run, first.run])
    }
    // What it wrote can be read by another process.
    await using again = await place.start({ within })
    expect((await again.get<{ runs: unknown[] }>('/v1/runs')).runs.length).toBe(2)
  })

  test('while a run works: it ends by itself once there is space again, with one pull request', async () => {
    using place = await openPlace()
    const marker = join(place.folder, 'started')
    place.routine('note', {
      args: [marker],
      program: `const fs = require('fs'); fs.appendFileSync(process.argv[1], 'x'); setTimeout(() => fs.writeFileSync('note.md', 'done'), 1000)`,
    })
    await using small = await openOnSmallDisk(place)
    await using service = await place.start({ within: small.within })
    const { run } = (await (await fire(service, 'one')).json()) as { run: string }
    await expect
      .poll(async () => (await service.get<{ state: string }>(`/v1/runs/${run}`)).state, { timeout: 20_000 })
      .toBe('working')
    small.fill(0)
    // Longer than the lease: the worker cannot keep it.
    await expect.poll(service.log, { timeout: 20_000 }).toContain('the lease could not be renewed')
    expect((await service.fetch('/health')).status).toBe(503)
    small.free()
    expect(await untilSettled(service, run)).toMatchObject({ state: 'published' })
    expect(git(place.repository, 'branch', '--list', 'overnight/*').split('\n').length).toBe(1)
  })

  test('the store stops because the disk filled up behind its back: the service ends with what to do, and nothing accepted is lost', async () => {
    using place = await openPlace()
    place.routine('note')
    await using small = await openOnSmallDisk(place)
    const { within } = small
    const acknowledged: string[] = []
    {
      await using service = await place.start({ within, env: { NODE_OPTIONS: `--import=${blind}` } })
      const accept = async (key: string) => {
        const answer = await fire(service, key).catch(() => undefined)
        expect([202, 503, undefined]).toContain(answer?.status)
        if (answer?.status === 202) acknowledged.push(((await answer.json()) as { run: string }).run)
      }
      await accept('before')
      await untilSettled(service, acknowledged[0]!)
      small.fill(0)
      // The log's files were made whole when there was space; without their unwritten part the next page finds no room.
      execFileSync('sh', [
        '-c',
        'for file in "$0"/0*; do fallocate --dig-holes "$file"; done',
        join(small.path, 'ledger/pg_wal'),
      ])
      small.fill(0)
      for (let index = 0; index < 200 && isAlive(service.pid); index++) await accept(`full-${index}`)
      expect(await service.exit).toEqual({ code: 2, signal: null })
      expect(service.log()).toMatch(/overnight: the ledger stopped: .*\n  → see to the disk and start again/)
    }
    small.free()
    await using again = await place.start({ within })
    for (const run of acknowledged)
      expect(['published', 'unchanged', 'skipped']).toContain((await untilSettled(again, run)).state)
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
