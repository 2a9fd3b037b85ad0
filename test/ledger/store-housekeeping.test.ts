import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { sql } from '../../src/ledger/sql.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { need } from '../support/need.ts'
import { putFreshLedger } from '../support/ledger-template.ts'
import { openTestStore, type TestStore } from '../support/test-store.ts'

const run = promisify(execFile)
const program = (name: string) => join(import.meta.dirname, name)

describe('housekeeping', () => {
  let opened: TestStore
  beforeAll(async () => {
    opened = await openTestStore()
  })
  afterAll(async () => opened[Symbol.asyncDispose]())
  const ask = async (text: string) => Number((await opened.store.db.execute<{ n: string }>(sql.raw(text))).rows[0]!.n)
  const segments = () => readdirSync(join(opened.ledger, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name)).length

  test('vacuum gives the space of dead rows back, and nothing else does', async () => {
    const { db } = opened.store
    const size = () => ask(`select pg_relation_size('audit') as n`)
    await db.execute(
      sql`insert into audit (actor, action, subject, data) select 'a', 'b', g, '{}' from generate_series(1, 20000) g`,
    )
    await db.execute(sql`delete from audit`)
    expect(await size()).toBeGreaterThan(1_000_000)
    await opened.store.vacuum()
    expect(await size()).toBeLessThan(100_000)
  })

  test('the log stays short, though nobody asks for a checkpoint', async () => {
    for (let i = 0; i < 12; i++) {
      await opened.store.db.execute(
        sql`create table big as select repeat(md5(g::text), 50) as filler from generate_series(1, 12000) g`,
      )
      await opened.store.db.execute(sql`drop table big`)
    }
    await vi.waitFor(() => expect(segments()).toBeLessThanOrEqual(10), 10_000)
  })

  test('timers, sockets and signals keep their turn while queries flood in', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const ticks = { count: 0 }
    const timer = setInterval(() => ticks.count++, 10)
    const started = performance.now()
    const one = () => opened.store.db.execute(sql`select count(*) from pg_class`)
    const pooled = () => opened.store.pool.query('select count(*) from pg_class')
    await Promise.all(Array.from({ length: 1500 }, (_, i) => (i % 2 ? one() : pooled())))
    await opened.store.db.transaction(async (tx) => {
      for (let i = 0; i < 300; i++) await tx.execute(sql`select count(*) from pg_class`)
    })
    clearInterval(timer)
    delay.disable()
    const seconds = (performance.now() - started) / 1000
    expect(seconds).toBeGreaterThan(0.2)
    expect(ticks.count).toBeGreaterThan(seconds * 20)
  })
})

test('an idle ledger leaves memory to others', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'overnight-idle-'))
  try {
    // From nothing: making the store must not be paid for afterwards.
    const { stdout } = await run(process.execPath, [program('stay-idle.ts'), join(folder, 'ledger')])
    expect(Number(stdout)).toBeGreaterThan(50)
    // Promised are 400 for the whole service.
    expect(Number(stdout)).toBeLessThanOrEqual(350)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('a full disk', () => {
  const small = need(mountNamespacesMissing())
  const fill = async (how: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'overnight-full-'))
    try {
      const template = join(folder, 'template')
      await putFreshLedger(template)
      const script = `set -e; mkdir ${folder}/disk; mount -t tmpfs -o size=160m none ${folder}/disk; cd ${folder}/disk; mkdir fill
        cp -r ${template} ledger; head -c 20000000 /dev/zero > fill/first; "$0" ${program('fill-disk.ts')} ${folder}/disk ${how}
        "$0" ${program('count-acked.ts')} ${folder}/disk/ledger`
      const { stdout } = await run('unshare', ['-m', 'sh', '-c', script, process.execPath], { timeout: 60_000 })
      const [told, count] = stdout.trim().split('\n')
      return { ...(JSON.parse(told!) as { acked: number; refused: string; next?: string }), found: Number(count) }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test.skipIf(small.skip)(
    `refuses writes with a reason, lets read, and takes writes again when there is space${small.note}`,
    async () => {
      const told = await fill('slowly')
      expect(told).toMatchObject({ refused: 'disk_full 503', readable: true, afterwards: 'none' })
      expect(told.found).toBe(told.acked)
    },
  )

  test.skipIf(small.skip)(
    `in the middle of a transaction never hangs, and what was acknowledged is there${small.note}`,
    async () => {
      const told = await fill('inside')
      expect(told.refused).toBe('setup 503')
      expect(told.next).toBe('setup 503')
      expect(told).toMatchObject({ acked: 1, found: 1 })
    },
  )
})

function mountNamespacesMissing(): string | undefined {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'a mount namespace with tmpfs'
  }
}
