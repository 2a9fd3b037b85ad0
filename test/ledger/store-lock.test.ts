import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SetupError } from '../../src/errors.ts'
import { lockDataFolder } from '../../src/ledger/lock.ts'

const program = join(import.meta.dirname, 'hold-lock.ts')

async function holdElsewhere(path: string) {
  const child = spawn(process.execPath, ['--expose-gc', program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

describe('the lock of the data folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'overnight-lock-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('refuses a second process and names the first, though that one forgot its lock; kill -9 frees it', async () => {
    const path = join(folder, 'lock.db')
    const holder = await holdElsewhere(path)
    try {
      expect(() => lockDataFolder(path)).toThrow(SetupError)
      expect(() => lockDataFolder(path)).toThrow(`process ${holder.pid}`)
    } finally {
      holder.kill('SIGKILL')
      await once(holder, 'exit')
    }
    lockDataFolder(path).release()
  })

  test('refuses a second time in the same process, and the refusal does not cost the first its lock', async () => {
    const path = join(folder, 'lock.db')
    using lock = lockDataFolder(path)
    expect(() => lockDataFolder(path)).toThrow(SetupError)
    const other = spawn(process.execPath, [program, path], { stdio: ['ignore', 'ignore', 'pipe'] })
    let complaint = ''
    other.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    const [code] = (await once(other, 'close')) as [number]
    expect(code).not.toBe(0)
    expect(complaint).toContain(`process ${process.pid}`)
    lock.release()
    lock.release()
    lockDataFolder(path).release()
  })

  test('works where a socket would not: 150 characters, spaces, umlauts', () => {
    const path = join(folder, `${'ein sehr langer Ordner für Läufe '.repeat(4)}und mehr`, 'lock.db')
    expect(path.length).toBeGreaterThan(150)
    using _lock = lockDataFolder(path)
    expect(() => lockDataFolder(path)).toThrow('in use')
  })

  test('a folder that cannot be made is a sentence', () => {
    lockDataFolder(join(folder, 'file')).release()
    expect(() => lockDataFolder(join(folder, 'file', 'lock.db'))).toThrow(/cannot be used/)
  })
})
