import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { sql } from '../../src/ledger/sql.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startParams } from '../../src/ledger/cluster.ts'
import { createDurableFiles, type DurableFiles } from '../../src/ledger/durable-files.ts'
import { requireDurability } from '../../src/ledger/embedded.ts'
import { openStore } from '../../src/ledger/store.ts'
import { need } from '../support/need.ts'
import { putFreshLedger } from '../support/ledger-template.ts'

const program = join(import.meta.dirname, 'commit-forever.ts')

/** Lets a process commit until it has acknowledged `enough` more rows; answers the last number it acknowledged. */
async function commitIn(ledger: string, enough: number, at: (last: number) => void = () => {}) {
  const child = spawn(process.execPath, [program, ledger], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let last = 0
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line)
    if (++seen === enough) {
      child.kill('SIGSTOP')
      at(last)
      child.kill('SIGKILL')
    }
  }
  await ended
  return last
}

async function committed(ledger: string): Promise<{ count: number; max: number }> {
  const store = await openStore({ ledger })
  try {
    const answer = await store.db.execute<{ count: string; max: string }>(
      sql`select count(*), coalesce(max(n), 0) as max from acked`,
    )
    return { count: Number(answer.rows[0]!.count), max: Number(answer.rows[0]!.max) }
  } finally {
    await store.close()
  }
}

describe('an acknowledged commit', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'overnight-durable-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('survives kill -9, again and again', async () => {
    const ledger = join(folder, 'ledger')
    await putFreshLedger(ledger)
    for (const cycle of [1, 4, 8]) {
      const last = await commitIn(ledger, 15 * cycle)
      const found = await committed(ledger)
      expect(found.max, `cycle ${cycle}`).toBeGreaterThanOrEqual(last)
    }
  })

  const loop = need(loopDevicesMissing())
  test.skipIf(loop.skip)(
    `survives a power cut: the disk's image, copied while mounted, has it${loop.note}`,
    { timeout: 180_000 },
    async () => {
      const disk = join(folder, 'disk.img')
      execFileSync('truncate', ['-s', '400M', disk])
      system('mkfs.ext4', ['-q', '-F', disk])
      const cut = join(folder, 'cut.img')
      let last = 0
      await mounted(disk, async (mount) => {
        const ledger = join(mount, 'ledger')
        // From nothing, so that the making of a new ledger is part of what must reach the disk.
        last = await commitIn(ledger, 25, () => execFileSync('cp', ['--sparse=always', disk, cut]))
      })
      // The copy was made at the 25th acknowledgement; what came later is in the original alone.
      await mounted(cut, async (mount) => {
        const found = await committed(join(mount, 'ledger'))
        expect(found.max).toBeGreaterThanOrEqual(25)
        expect(found.count).toBe(found.max)
      })
      expect(last).toBeGreaterThanOrEqual(25)
    },
  )

  async function mounted(image: string, act: (mount: string) => Promise<void>): Promise<void> {
    const mount = `${image}.mount`
    mkdirSync(mount)
    system('mount', ['-o', 'loop', image, mount])
    try {
      await act(mount)
    } finally {
      system('umount', [mount])
    }
  }

  test('is preceded by an fsync of the log; reading costs none', async () => {
    const ledger = join(folder, 'ledger')
    await putFreshLedger(ledger)
    const durable = createDurableFiles(ledger)
    const pglite = await PGlite.create({ fs: durable.files, startParams })
    await pglite.exec('create table t (n int)')
    for (let i = 0; i < 20; i++) {
      const before = durable.logSyncs()
      await pglite.query('insert into t values ($1)', [i])
      expect(durable.logSyncs()).toBeGreaterThan(before)
    }
    const before = durable.logSyncs()
    await pglite.query('select * from t')
    expect(durable.logSyncs()).toBe(before)
    await pglite.close()
  })

  test.each([
    ['files without the hook', (ledger: string) => new NodeFS(ledger), startParams],
    ['a server started without fsync', (_: string, durable: DurableFiles) => durable.files, [...startParams, '-F']],
  ])('the self-test at the start refuses %s', async (_, files, params) => {
    const ledger = join(folder, 'ledger')
    await putFreshLedger(ledger)
    const durable = createDurableFiles(ledger)
    const pglite = await PGlite.create({ fs: files(ledger, durable), startParams: params })
    await expect(requireDurability(pglite, durable)).rejects.toThrow('before the disk has it')
    expect(pglite.closed).toBe(true)
  })
})

/** A program of the system; its folder is not on everybody's PATH. */
function system(program: string, args: readonly string[]): void {
  const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`
  execFileSync(program, args, { stdio: 'ignore', env: { ...process.env, PATH } })
}

function loopDevicesMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'root, to mount an image'
  const image = join(tmpdir(), `overnight-loop-${process.pid}.img`)
  const mount = `${image}.mount`
  try {
    execFileSync('truncate', ['-s', '8M', image])
    system('mkfs.ext4', ['-q', '-F', image])
    mkdirSync(mount)
    system('mount', ['-o', 'loop', image, mount])
    system('umount', [mount])
    return undefined
  } catch {
    return 'loop devices and ext4'
  } finally {
    rmSync(mount, { recursive: true, force: true })
    rmSync(image, { force: true })
  }
}
