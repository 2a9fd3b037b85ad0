import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { finish, type Place } from './place.ts'

/** The one socket of the host that a sandbox may lead to. */
export function theWayOut(at: Place): void {
  const { runs, mark } = at
  describe('the way out', () => {
    /** A server behind a unix socket that answers with what it was sent, and a sandbox that is led to it. */
    async function openWay(answer = (said: string) => said) {
      const place = await mkdtemp(join(tmpdir(), 'overnight-way-'))
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        void text(socket).then((said) => socket.end(answer(said)))
      }).listen(join(place, 'socket'))
      await once(server, 'listening')
      const way = await at.driver.open({
        run: runs.two,
        mounts: [{ path: at.folder, write: true }],
        forward: { socket: join(place, 'socket') },
      })
      onTestFinished(async () => {
        await way[Symbol.asyncDispose]()
        server.close()
        await rm(place, { recursive: true })
      })
      return { way, place, server }
    }
    /** JavaScript that sends `words` there and prints the answer. */
    const send = (at: string | undefined, words: string) => {
      const [host, port] = (at ?? '').split(':')
      return `const socket = require('node:net').connect({ port: ${port}, host: '${host}', allowHalfOpen: true })
        socket.on('error', (error) => console.log(error.code)).pipe(process.stdout)
        socket.end(${words})`
    }

    test('leads to a socket of the host; how the command ends is its own', async () => {
      const { way } = await openWay((said) => `heard ${said}`)
      expect(way.forwardedAt).toMatch(/^127\.0\.0\.1:\d+$/)
      const script = `node -e '${send(way.forwardedAt, '"hello"').replaceAll("'", '"')}'; exit 5`
      expect(await finish(way, ['sh', '-c', script], { cwd: at.folder })).toEqual({
        code: 5,
        signal: null,
        stdout: 'heard hello',
        stderr: '',
      })
    })

    test('large things in both directions, many at once', async () => {
      const { way } = await openWay()
      const words = '"x".repeat(300_000)'
      const argv = ['node', '-e', Array.from({ length: 8 }, () => `{ ${send(way.forwardedAt, words)} }`).join('\n')]
      const { stdout, code } = await finish(way, argv, { cwd: at.folder })
      expect({ code, length: stdout.length }).toEqual({ code: 0, length: 8 * 300_000 })
    })

    test('is still there for a command that was asked to stop', async () => {
      const { way } = await openWay((said) => `heard ${said}`)
      const script = `
        for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { if (signal === 'SIGTERM') { clearInterval(timer); ${send(way.forwardedAt, '"last words"')} } })
        const timer = setInterval(() => {}, 1000)
        console.log('up')`
      const command = await way.spawn(['node', '-e', script], { cwd: at.folder })
      await once(command.stdout, 'data')
      command.interrupt()
      const exit = command.kill()
      expect(await text(command.stdout)).toBe('heard last words')
      expect(await exit).toEqual({ code: 0, signal: null })
    })

    test('several commands in turn and at once', async () => {
      const { way } = await openWay()
      const argv = ['node', '-e', send(way.forwardedAt, '"one"')]
      const both = await Promise.all([finish(way, argv, { cwd: at.folder }), finish(way, argv, { cwd: at.folder })])
      expect([...both, await finish(way, argv, { cwd: at.folder })].map(({ stdout }) => stdout)).toEqual([
        'one',
        'one',
        'one',
      ])
    })

    test('who hangs up there: a connection that closes, nothing more', async () => {
      const { way, server } = await openWay()
      server.removeAllListeners('connection').on('connection', (socket) => socket.destroy())
      const { stdout, code } = await finish(way, ['node', '-e', send(way.forwardedAt, '"hello"')], { cwd: at.folder })
      expect({ stdout, code }).toEqual({ stdout: expect.stringMatching(/^(E\w+\n)?$/), code: 0 })
    })

    test('goes with the sandbox', async () => {
      const { way } = await openWay()
      const command = await way.spawn(['sleep', mark(7321)], { cwd: at.folder })
      await way[Symbol.asyncDispose]()
      expect(await command.exit).toEqual({ code: null, signal: 'SIGKILL' })
      const { stdout } = await finish(at.sandbox, ['node', '-e', send(way.forwardedAt, '""')], { cwd: at.folder })
      expect(stdout).toBe('ECONNREFUSED\n')
    })

    test('is not there unless it is asked for', () => {
      expect(at.sandbox.forwardedAt).toBeUndefined()
    })
  })
}
