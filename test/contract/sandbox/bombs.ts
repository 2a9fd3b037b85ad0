import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { removeFolder } from '../../../src/sandboxes/remove-folder.ts'
import { finish, processesWith, type Place } from './place.ts'

/** For sandboxes with limits. */
export function bombs(at: Place): void {
  const { suite, mark } = at
  describe('a bomb goes off inside its limits', () => {
    const limits = { memoryBytes: 128 * 1024 ** 2, cpus: 2, processes: 60, diskBytes: 48 * 1024 ** 2 }
    async function explode(run: string, argv: string[], diskBytes = limits.diskBytes) {
      const place = join(at.root, 'bombs')
      await mkdir(place, { recursive: true })
      onTestFinished(() => removeFolder(place))
      await using small = await at.driver.open({
        run: `${suite}-${run}`,
        mounts: [{ path: place, write: true }],
        limits: { ...limits, diskBytes },
      })
      const began = performance.now()
      const done = await finish(small, argv, { cwd: place })
      expect(performance.now() - began).toBeLessThan(15_000)
      // Whoever comes next finds everything as it was.
      expect(await finish(small, ['echo', 'next'], { cwd: place })).toMatchObject({ code: 0, stdout: 'next\n' })
      return { notes: small.notes.join('\n'), ...done }
    }
    const causeUnless = (notes: string, word: string, cause: string) => (notes.includes(word) ? undefined : cause)

    test('memory', async () => {
      const hungry = `const held = []; while (held.length < 64) held.push(Buffer.alloc(16 * 1024 ** 2, 1)); process.exit(9)`
      const { cause, notes } = await explode('memory', ['node', '-e', hungry])
      expect(cause).toBe(causeUnless(notes, 'memory is not limited', 'out_of_memory'))
    })

    test('memory that is called files', async () => {
      const { code } = await explode('tmpfs', [
        'sh',
        '-c',
        'head -c 8G /dev/zero > /tmp/full || head -c 8G /dev/zero > "$HOME/full"',
      ])
      expect(code).not.toBe(0)
    })

    test('processes without end, that nobody waits for', async () => {
      const place = join(at.root, 'bombs')
      await mkdir(place, { recursive: true })
      onTestFinished(() => removeFolder(place))
      await using small = await at.driver.open({ run: `${suite}-fork`, mounts: [{ path: place, write: true }], limits })
      const seconds = mark(7322)
      // Each leaves its session and its parent; where there is no limit, there are no more than two hundred.
      const bomb = `trap "" TERM; for i in $(seq 200); do (setsid sleep ${seconds} >/dev/null 2>&1 &) 2>/dev/null; done; echo up; sleep ${seconds}`
      const command = await small.spawn(['sh', '-c', bomb], { cwd: place })
      await Promise.race([once(command.stdout, 'data'), command.exit])
      const many = (await processesWith(`sleep ${seconds}`)).length
      const notes = small.notes.join('\n')
      expect(many > limits.processes).toBe(notes.includes('number of processes is not limited'))
      await command.kill(0)
      expect(await processesWith(`sleep ${seconds}`)).toEqual([])
      expect(await finish(small, ['echo', 'next'], { cwd: place })).toMatchObject({ stdout: 'next\n' })
    })

    test('one file without end', async () => {
      const { cause } = await explode('file', ['sh', '-c', 'exec head -c 8G /dev/zero > full'])
      expect(cause).toBe('out_of_room')
      expect(existsSync(join(at.root, 'bombs', 'full'))).toBe(true)
    })

    test.for([
      [
        'large files',
        limits.diskBytes,
        'for (let n = 0; n < 4000; n++) fs.writeFileSync(`f${n}`, Buffer.alloc(1024 ** 2, 1))',
      ],
      // A disk may make a thousand a second and no more.
      ['a million empty files', 1024 ** 2, 'for (let n = 0; n < 1e6; n++) fs.closeSync(fs.openSync(`f${n}`, "w"))'],
    ] as const)('%s', { timeout: 60_000 }, async ([, diskBytes, script]) => {
      // It begins again, so that it does not come to its own end before anybody looks.
      const argv = ['node', '-e', `const fs = require('node:fs'); for (;;) { ${script} }`]
      expect(await explode('many', argv, diskBytes)).toMatchObject({
        code: null,
        signal: 'SIGKILL',
        cause: 'out_of_room',
      })
    })
  })
}
