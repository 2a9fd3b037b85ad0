import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test, vi } from 'vitest'
import { processesWith, fixtures, type Place } from './place.ts'

/** How a command ends, is asked to, is made to, and goes with a killed service. */
export function howItEnds(at: Place): void {
  const { namespaced, contained, fixture, create, runs, mark, shell } = at
  describe('how a command ends', () => {
    test.for([
      ['exit 0', { code: 0, signal: null }],
      ['exit 1', { code: 1, signal: null }],
      ['exit 127', { code: 127, signal: null }],
      ['exit 255', { code: 255, signal: null }],
      ['kill -KILL $$', { code: null, signal: 'SIGKILL' }],
      ['kill -TERM $$', { code: null, signal: 'SIGTERM' }],
      ['kill -INT $$', { code: null, signal: 'SIGINT' }],
      ['exit 143', { code: null, signal: 'SIGTERM' }],
    ] as const)('%s', async ([script, exit]) => {
      expect(await shell(script)).toEqual({ ...exit, stdout: '', stderr: '' })
    })

    test('what it printed is still there for a late reader', async () => {
      const command = await at.sandbox.spawn(['sh', '-c', 'seq 20000; echo end >&2'], { cwd: at.folder })
      // Both pipes and streams hold only part of it, so the reader starts after most of it was written.
      expect(await text(command.stderr).then(() => text(command.stdout))).toHaveLength(108_894)
      expect(await command.exit).toEqual({ code: 0, signal: null })
    })

    test('unread output does not keep it from being seen to end', async () => {
      const command = await at.sandbox.spawn(['sh', '-c', 'echo unread'], { cwd: at.folder })
      expect(await command.exit).toEqual({ code: 0, signal: null })
      expect(await text(command.stdout)).toBe('unread\n')
    })
  })

  describe('how it is ended', () => {
    test('a SIGTERM it obeys', async () => {
      const command = await at.sandbox.spawn(
        ['sh', '-c', 'trap "echo bye; exit 9" TERM; echo up; while :; do sleep 0.05; done'],
        { cwd: at.folder },
      )
      await once(command.stdout, 'readable')
      expect(await command.kill()).toEqual({ code: 9, signal: null })
      expect(await text(command.stdout)).toBe('up\nbye\n')
    })

    test('SIGKILL for one that ignores SIGTERM, with its descendants that left', async () => {
      const seconds = mark(7311)
      const script = `trap "" TERM; (setsid sh -c 'trap "" TERM; sleep ${seconds} & sleep ${seconds}' >/dev/null 2>&1 &); echo up; while :; do sleep 0.05; done`
      const command = await at.sandbox.spawn(['sh', '-c', script], { cwd: at.folder })
      await once(command.stdout, 'readable')
      await vi.waitFor(async () => expect(await processesWith(`sleep ${seconds}`)).toHaveLength(2))
      const started = performance.now()
      expect(await command.kill(300)).toEqual({ code: null, signal: 'SIGKILL' })
      expect(performance.now() - started).toBeGreaterThan(280)
      expect(performance.now() - started).toBeLessThan(3000)
      expect(await processesWith(`sleep ${seconds}`)).toEqual([])
      expect(await command.kill()).toEqual({ code: null, signal: 'SIGKILL' })
    })

    test('a normal exit leaves nothing either', async () => {
      const seconds = mark(7312)
      const script = `(setsid sh -c '(sleep ${seconds} &) ; sleep ${seconds}' >/dev/null 2>&1 &); sleep 0.1; exit 3`
      expect(await shell(script)).toMatchObject({ code: 3 })
      expect(await processesWith(`sleep ${seconds}`)).toEqual([])
    })

    if (!namespaced)
      test('one that escapes and keeps the streams keeps nobody waiting', async () => {
        const seconds = mark(7321)
        const script = `echo done; env -i setsid sh -c 'while :; do echo late; done & exec sleep ${seconds}' & sleep 0.2`
        const command = await at.sandbox.spawn(['sh', '-c', script], { cwd: at.folder })
        expect(await command.exit).toEqual({ code: 0, signal: null })
        const seen = await text(command.stdout)
        const [sleeper] = await processesWith(`sleep ${seconds}`)
        process.kill(-Number(sleeper), 'SIGKILL')
        expect(seen).toContain('done\n')
        expect(seen.length).toBeLessThan(4_000_000)
      })

    test('one command ends, its neighbour in the same sandbox goes on', async () => {
      const neighbour = await at.sandbox.spawn(['sh', '-c', 'echo up; read word; echo "$word"'], { cwd: at.folder })
      await once(neighbour.stdout, 'readable')
      await shell(`sleep ${mark(7313)} & exit 0`)
      neighbour.stdin.end('alive\n')
      expect(await text(neighbour.stdout)).toBe('up\nalive\n')
    })

    test('an abort, before and after the start', async () => {
      const controller = new AbortController()
      const command = await at.sandbox.spawn(['sleep', mark(7314)], { cwd: at.folder, signal: controller.signal })
      controller.abort()
      expect(await command.exit).toEqual({ code: null, signal: 'SIGKILL' })
      expect(await processesWith(`sleep ${mark(7314)}`)).toEqual([])
      await expect(at.sandbox.spawn(['true'], { cwd: at.folder, signal: controller.signal })).rejects.toThrow(/abort/i)
      const during = new AbortController()
      const starting = at.sandbox.spawn(['sleep', mark(7315)], { cwd: at.folder, signal: during.signal })
      during.abort(new Error('no longer wanted'))
      await expect(starting).rejects.toThrow('no longer wanted')
      await vi.waitFor(async () => expect(await processesWith(`sleep ${mark(7315)}`)).toEqual([]))
    })

    test('closing the sandbox', async () => {
      const other = await at.driver.open({ run: runs.one, mounts: [{ path: at.folder, write: true }] })
      const command = await other.spawn(['sleep', mark(7316)], { cwd: at.folder })
      await other[Symbol.asyncDispose]()
      expect(await command.exit).toEqual({ code: null, signal: 'SIGKILL' })
      expect(await processesWith(`sleep ${mark(7316)}`)).toEqual([])
      await expect(other.spawn(['true'], { cwd: at.folder })).rejects.toThrow('closed')
    })
  })

  describe('interrupt()', () => {
    test('asks as Ctrl-C does, and it may say its last words', async () => {
      const script = 'trap "echo asked; exit 3" INT; echo up; while :; do sleep 0.05; done'
      const command = await at.sandbox.spawn(['sh', '-c', script], { cwd: at.folder })
      await once(command.stdout, 'data')
      command.interrupt()
      expect(await text(command.stdout)).toBe('asked\n')
      expect(await command.exit).toEqual({ code: 3, signal: null })
      command.interrupt()
    })

    test('who does not care goes on', async () => {
      const script = `trap "" INT; echo up; read line; echo "$line"`
      const command = await at.sandbox.spawn(['sh', '-c', script], { cwd: at.folder })
      const [first] = (await once(command.stdout, 'data')) as [Buffer]
      expect(String(first)).toBe('up\n')
      command.interrupt()
      command.stdin.end('went on\n')
      expect(await text(command.stdout)).toBe('went on\n')
      expect(await command.exit).toEqual({ code: 0, signal: null })
    })
  })

  describe('a service that is killed', () => {
    const script = (seconds: string) => `(setsid sleep ${seconds} >/dev/null 2>&1 &); echo up; sleep ${seconds}`

    async function killedService(run: string, seconds: string): Promise<void> {
      const argv = [join(fixtures, 'open-and-wait.ts'), fixture, run, at.root, 'sh', '-c', script(seconds)]
      const service = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(service.stdout, 'data')
      await vi.waitFor(async () => expect(await processesWith(`sleep ${seconds}`)).toHaveLength(2))
      service.kill('SIGKILL')
      await once(service, 'exit')
    }

    if (namespaced && !contained)
      test('takes everything with it', async () => {
        await killedService(runs.one, mark(7317))
        await vi.waitFor(async () => expect(await processesWith(`sleep ${mark(7317)}`)).toEqual([]), { timeout: 5000 })
        await at.driver.reap((run) => run === runs.one)
      })

    if (!namespaced || contained)
      test('leaves what reap() then ends, of the runs named and no others', async () => {
        await killedService(runs.one, mark(7318))
        await killedService(runs.two, mark(7319))
        // Two shells and two sleeps: the first process, the command, and what it started; or what they are all in.
        expect(await at.driver.reap((run) => run === runs.one)).toBeGreaterThanOrEqual(contained ? 1 : 3)
        expect(await processesWith(`sleep ${mark(7318)}`)).toEqual([])
        expect(await processesWith(`sleep ${mark(7319)}`)).toHaveLength(2)
        await at.driver.reap((run) => run === runs.two)
        expect(await processesWith(`sleep ${mark(7319)}`)).toEqual([])
      })

    test('reap() spares what this service has at work', async () => {
      const command = await at.sandbox.spawn(['sh', '-c', `setsid sleep ${mark(7320)} & sleep ${mark(7320)}`], {
        cwd: at.folder,
      })
      await vi.waitFor(async () => expect(await processesWith(`sleep ${mark(7320)}`)).toHaveLength(2))
      expect(await at.driver.reap((run) => run === runs.main)).toBe(0)
      expect(await create(at.root).reap(() => false)).toBe(0)
      expect(await processesWith(`sleep ${mark(7320)}`)).toHaveLength(2)
      await command.kill(0)
    })
  })
}
