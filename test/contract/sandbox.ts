import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { removeFolder } from '../../src/sandboxes/remove-folder.ts'
import type { Exit, Sandbox, SandboxDriver, SpawnOptions } from '../../src/sandboxes/sandbox.ts'
import { need } from '../support/need.ts'
import { inKeySession, missing, tellKeys } from './key-session.ts'

const fixtures = join(import.meta.dirname, '../sandboxes/fixtures')
const canary = `canary-${'x'.repeat(20)}-kept-by-the-operator`

/** What a driver promises beyond the port. */
export type Promises = {
  /** Walls: no network, no file but the mounts, not root. */
  confines: boolean
  /** Everything ends with the command and with the service, whatever a process does to its environment. */
  namespaced: boolean
  /** Somebody else starts its commands: they are no children of this process, and a killed service leaves them to `reap`. */
  contained?: boolean
  /** The word the fixtures know it by. */
  fixture: string
  create: (folder: string) => SandboxDriver
}

type Done = Exit & { stdout: string; stderr: string }

export async function finish(sandbox: Sandbox, argv: string[], options: SpawnOptions): Promise<Done> {
  const command = await sandbox.spawn(argv, options)
  const [stdout, stderr] = await Promise.all([text(command.stdout), text(command.stderr)])
  return { stdout, stderr, ...(await command.exit) }
}

/** Processes of the whole machine whose arguments hold `words`. */
async function processesWith(words: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()
    // The command itself, not a shell that has the words in its script.
    if (argv === words) found.push(pid)
  }
  return found
}

/** Processes of the whole machine with `words` somewhere in what every user may read of them. */
async function processesHolding(words: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (argv.includes(words)) found.push(argv.replaceAll('\0', ' '))
  }
  return found
}

export function sandboxContract({ confines, namespaced, contained = false, fixture, create }: Promises): void {
  // Other suites have sandboxes open on this machine at the same time: only runs of this one may be reaped.
  const suite = randomUUID().slice(0, 8)
  const runs = { main: `${suite}-main`, one: `${suite}-one`, two: `${suite}-two` }
  /** A time to sleep that tells the sleeping process from all others of this machine. */
  const mark = (seconds: number) => `${seconds}.${Number.parseInt(suite, 16)}`
  let root: string
  let folder: string
  let driver: SandboxDriver
  let sandbox: Sandbox
  const shell = (script: string, options: Partial<SpawnOptions> = {}) =>
    finish(sandbox, ['sh', '-c', script], { cwd: folder, ...options })

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'overnight-sandbox-'))
    folder = join(root, 'my work', 'Häuser & "Gärten"')
    await mkdir(folder, { recursive: true })
    await mkdir(join(root, 'read only'))
    await mkdir(join(root, 'read only', 'inner'))
    await mkdir(join(root, 'another-run'))
    await writeFile(join(root, 'read only', 'file'), 'as it was')
    await writeFile(join(root, 'another-run', 'secret'), canary)
    process.env['OVERNIGHT_TEST_CANARY'] = canary
    driver = create(root)
    sandbox = await driver.open({
      run: runs.main,
      mounts: [
        { path: join(root, 'read only', 'inner'), write: true },
        { path: join(root, 'read only'), write: false },
        { path: folder, write: true },
      ],
    })
  })
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]()
    delete process.env['OVERNIGHT_TEST_CANARY']
    expect(await readdir(root)).toEqual(['another-run', 'my work', 'read only'])
    await rm(root, { recursive: true, force: true })
  })

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
      const command = await sandbox.spawn(['sh', '-c', 'seq 20000; echo end >&2'], { cwd: folder })
      // Both pipes and streams hold only part of it, so the reader starts after most of it was written.
      expect(await text(command.stderr).then(() => text(command.stdout))).toHaveLength(108_894)
      expect(await command.exit).toEqual({ code: 0, signal: null })
    })

    test('unread output does not keep it from being seen to end', async () => {
      const command = await sandbox.spawn(['sh', '-c', 'echo unread'], { cwd: folder })
      expect(await command.exit).toEqual({ code: 0, signal: null })
      expect(await text(command.stdout)).toBe('unread\n')
    })
  })

  describe('what cannot be started', () => {
    test.for([['no-such-program'], ['./not-here'], ['/nonexistent/agent'], ['']])('%j', async (argv) => {
      const error = await sandbox.spawn(argv, { cwd: folder }).catch((error: unknown) => error)
      expect(error).toMatchObject({
        name: 'StepFailed',
        reason: 'no_agent',
        message: expect.stringContaining(JSON.stringify(argv[0])),
      })
      expect(error).toHaveProperty('hint', expect.stringMatching(argv[0]!.includes('/') ? /path/ : /PATH=.*\/usr\/bin/))
    })

    test('a file that may not be executed, and a folder', async () => {
      await writeFile(join(folder, 'plain.txt'), 'words')
      await expect(sandbox.spawn(['./plain.txt'], { cwd: folder })).rejects.toMatchObject({ reason: 'no_agent' })
      await expect(sandbox.spawn([folder], { cwd: folder })).rejects.toMatchObject({ reason: 'no_agent' })
    })

    test('arguments longer than the system takes', async () => {
      const argv = ['true', 'x'.repeat(3_000_000)]
      await expect(sandbox.spawn(argv, { cwd: folder })).rejects.toMatchObject({ reason: 'no_agent' })
    })

    test('a working directory that is not there', async () => {
      const cwd = join(root, 'never made')
      await expect(sandbox.spawn(['true'], { cwd })).rejects.toMatchObject({
        reason: 'no_sandbox',
        message: expect.stringContaining('never made'),
      })
    })
  })

  test('it says what its programs are, and the same the next time', async () => {
    await using next = await driver.open({ run: runs.one, mounts: [{ path: folder, write: true }] })
    expect(await sandbox.platform()).toMatch(/\S/)
    expect(await next.platform()).toBe(await sandbox.platform())
  })

  describe('what it is given', () => {
    test('arguments as they are, without a shell', async () => {
      const words = ['$HOME', '`id`', 'a b', '', '*', 'K=V', '-n', 'ü\n"\'\\']
      const { stdout } = await finish(sandbox, ['printf', '%s|', ...words], { cwd: folder })
      expect(stdout).toBe(`${words.join('|')}|`)
    })

    test.for(['a=b', 'echo', '-x'])('a program by the name of %s', async (name) => {
      const program = join(folder, 'programs', name)
      await mkdir(join(folder, 'programs'), { recursive: true })
      await writeFile(program, '#!/bin/sh\necho "mine $*"\n', { mode: 0o755 })
      expect(await finish(sandbox, [program, '1'], { cwd: folder })).toMatchObject({ stdout: 'mine 1\n', code: 0 })
      const env = { PATH: `${join(folder, 'programs')}:/usr/bin:/bin` }
      expect(await finish(sandbox, [name, '1'], { cwd: folder, env })).toMatchObject({ stdout: 'mine 1\n', code: 0 })
    })

    test('an environment that is exactly what was given', async () => {
      const script = 'process.stdout.write(JSON.stringify(process.env))'
      const env = {
        ONE: ' a  b\nc\n\n',
        shell: `$HOME \`id\` $(id) \\ "double" 'single' '' * ~ # ; & | < > !`,
        control: Array.from({ length: 31 }, (_, index) => String.fromCharCode(index + 1)).join(''),
        EVERY_BYTE: Array.from({ length: 1984 }, (_, index) => String.fromCodePoint(index + 64)).join('') + '€🦉',
        EMPTY: '',
        LARGE: 'x'.repeat(100_000),
        LANG: 'C.UTF-8',
        newline: 'one\ntwo',
        path: '/nowhere',
        PWD: '/nowhere',
        OVERNIGHT_RUN: 'a lie',
      }
      const { stdout } = await finish(sandbox, ['node', '-e', script], { cwd: folder, env })
      const { HOME, PATH, TMPDIR, OVERNIGHT_COMMAND, ...rest } = JSON.parse(stdout) as Record<string, string>
      expect(rest).toEqual({ ...env, OVERNIGHT_RUN: runs.main })
      expect(typeof OVERNIGHT_COMMAND).toBe(namespaced ? 'undefined' : 'string')
      expect({ HOME, TMPDIR }).toEqual({ HOME: expect.stringMatching(/^\//), TMPDIR: expect.stringMatching(/^\//) })
      expect(PATH?.split(':')).toContain('/usr/bin')
    })

    test('an environment that no other user can read', async () => {
      const planted = `planted-${randomUUID()}`
      const env = { TOKEN: `${planted}-token`, PATH: `/usr/bin:/bin:/${planted}-folder` }
      const command = await sandbox.spawn(['sh', '-c', 'echo "$TOKEN $PATH"; read end'], { cwd: folder, env })
      // Before its first words, too: a place that is public for an instant is public.
      const seen = await processesHolding(planted)
      const [said] = (await once(command.stdout, 'data')) as [Buffer]
      expect(String(said)).toBe(`${env.TOKEN} ${env.PATH}\n`)
      expect([...seen, ...(await processesHolding(planted))]).toEqual([])
      command.stdin.end('\n')
      expect(await command.exit).toEqual({ code: 0, signal: null })
    })

    test.for([
      ['with-hyphen.and.dot', '1'],
      ['1ST', '1'],
      ['', '1'],
      ['a b', '1'],
      ['X;touch${IFS}made', '1'],
      ['UID', '1000'],
      ['IFS', ':'],
      ['ZERO', 'a\0b'],
      ['TOO_LARGE', 'x'.repeat(131_072)],
    ])('no variable that would arrive as another one: %j', async ([name, value]) => {
      const refused = sandbox.spawn(['true'], { cwd: folder, env: { [name!]: value! } })
      await expect(refused).rejects.toMatchObject({
        name: 'StepFailed',
        reason: 'no_agent',
        message: expect.stringContaining(JSON.stringify(name)),
      })
    })

    test('no environment larger than the system takes', async () => {
      const env = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`PART_${index}`, 'x'.repeat(100_000)]))
      const refused = sandbox.spawn(['true'], { cwd: folder, env })
      await expect(refused).rejects.toMatchObject({ reason: 'no_agent', message: expect.stringContaining('bytes') })
    })

    test('the Node that runs the service, an empty HOME, a TMPDIR to write in', async () => {
      const { stdout, stderr } = await shell('node -v; ls -A "$HOME"; touch "$HOME/a" "$TMPDIR/b" && echo written; pwd')
      expect({ stdout, stderr }).toEqual({ stdout: `${process.version}\nwritten\n${folder}\n`, stderr: '' })
    })

    test('no descriptor that the service got from its own parent', async () => {
      const whole = await open('/', 'r')
      const argv = [
        join(fixtures, 'open-and-wait.ts'),
        fixture,
        runs.two,
        root,
        'sh',
        '-c',
        'ls -l /proc/self/fd; ls /proc/self/fd/40/',
      ]
      const stdio = [
        'ignore',
        'pipe',
        'ignore',
        ...Array.from({ length: 37 }, () => 'ignore' as const),
        whole.fd,
      ] as const
      const service = spawn(process.execPath, argv, { stdio: [...stdio] })
      const listed = await text(service.stdout as Readable)
      await whole.close()
      expect(/ 40 -> \/dev\/null\n/.test(listed)).toBe(!contained)
      expect(listed).not.toMatch(/ -> \/\n|^etc$/m)
    })

    test('streams that can be opened by their names', async () => {
      const script = 'cat /dev/stdin > /dev/stdout; echo beside > /dev/stderr; echo end >> /proc/self/fd/1'
      const command = await sandbox.spawn(['sh', '-c', script], { cwd: folder })
      command.stdin.end('prompt\n')
      expect(await Promise.all([text(command.stdout), text(command.stderr)])).toEqual(['prompt\nend\n', 'beside\n'])
      expect(await command.exit).toEqual({ code: 0, signal: null })
    })

    test('its input, or nobody who reads it', async () => {
      const echo = await sandbox.spawn(['cat'], { cwd: folder })
      echo.stdin.end('prompt')
      expect(await text(echo.stdout)).toBe('prompt')
      const deaf = await sandbox.spawn(['true'], { cwd: folder })
      deaf.stdin.end('x'.repeat(5_000_000))
      expect(await deaf.exit).toEqual({ code: 0, signal: null })
      await vi.waitFor(() => expect(deaf.stdin.destroyed).toBe(true))
    })
  })

  describe('how it is ended', () => {
    test('a SIGTERM it obeys', async () => {
      const command = await sandbox.spawn(
        ['sh', '-c', 'trap "echo bye; exit 9" TERM; echo up; while :; do sleep 0.05; done'],
        { cwd: folder },
      )
      await once(command.stdout, 'readable')
      expect(await command.kill()).toEqual({ code: 9, signal: null })
      expect(await text(command.stdout)).toBe('up\nbye\n')
    })

    test('SIGKILL for one that ignores SIGTERM, with its descendants that left', async () => {
      const seconds = mark(7311)
      const script = `trap "" TERM; (setsid sh -c 'trap "" TERM; sleep ${seconds} & sleep ${seconds}' >/dev/null 2>&1 &); echo up; while :; do sleep 0.05; done`
      const command = await sandbox.spawn(['sh', '-c', script], { cwd: folder })
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
        const command = await sandbox.spawn(['sh', '-c', script], { cwd: folder })
        expect(await command.exit).toEqual({ code: 0, signal: null })
        const seen = await text(command.stdout)
        const [sleeper] = await processesWith(`sleep ${seconds}`)
        process.kill(-Number(sleeper), 'SIGKILL')
        expect(seen).toContain('done\n')
        expect(seen.length).toBeLessThan(4_000_000)
      })

    test('one command ends, its neighbour in the same sandbox goes on', async () => {
      const neighbour = await sandbox.spawn(['sh', '-c', 'echo up; read word; echo "$word"'], { cwd: folder })
      await once(neighbour.stdout, 'readable')
      await shell(`sleep ${mark(7313)} & exit 0`)
      neighbour.stdin.end('alive\n')
      expect(await text(neighbour.stdout)).toBe('up\nalive\n')
    })

    test('an abort, before and after the start', async () => {
      const controller = new AbortController()
      const command = await sandbox.spawn(['sleep', mark(7314)], { cwd: folder, signal: controller.signal })
      controller.abort()
      expect(await command.exit).toEqual({ code: null, signal: 'SIGKILL' })
      expect(await processesWith(`sleep ${mark(7314)}`)).toEqual([])
      await expect(sandbox.spawn(['true'], { cwd: folder, signal: controller.signal })).rejects.toThrow(/abort/i)
      const during = new AbortController()
      const starting = sandbox.spawn(['sleep', mark(7315)], { cwd: folder, signal: during.signal })
      during.abort(new Error('no longer wanted'))
      await expect(starting).rejects.toThrow('no longer wanted')
      await vi.waitFor(async () => expect(await processesWith(`sleep ${mark(7315)}`)).toEqual([]))
    })

    test('closing the sandbox', async () => {
      const other = await driver.open({ run: runs.one, mounts: [{ path: folder, write: true }] })
      const command = await other.spawn(['sleep', mark(7316)], { cwd: folder })
      await other[Symbol.asyncDispose]()
      expect(await command.exit).toEqual({ code: null, signal: 'SIGKILL' })
      expect(await processesWith(`sleep ${mark(7316)}`)).toEqual([])
      await expect(other.spawn(['true'], { cwd: folder })).rejects.toThrow('closed')
    })
  })

  describe('interrupt()', () => {
    test('asks as Ctrl-C does, and it may say its last words', async () => {
      const script = 'trap "echo asked; exit 3" INT; echo up; while :; do sleep 0.05; done'
      const command = await sandbox.spawn(['sh', '-c', script], { cwd: folder })
      await once(command.stdout, 'data')
      command.interrupt()
      expect(await text(command.stdout)).toBe('asked\n')
      expect(await command.exit).toEqual({ code: 3, signal: null })
      command.interrupt()
    })

    test('who does not care goes on', async () => {
      const script = `trap "" INT; echo up; read line; echo "$line"`
      const command = await sandbox.spawn(['sh', '-c', script], { cwd: folder })
      const [first] = (await once(command.stdout, 'data')) as [Buffer]
      expect(String(first)).toBe('up\n')
      command.interrupt()
      command.stdin.end('went on\n')
      expect(await text(command.stdout)).toBe('went on\n')
      expect(await command.exit).toEqual({ code: 0, signal: null })
    })
  })

  describe('the way out', () => {
    /** A server behind a unix socket that answers with what it was sent, and a sandbox that is led to it. */
    async function openWay(answer = (said: string) => said) {
      const place = await mkdtemp(join(tmpdir(), 'overnight-way-'))
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        void text(socket).then((said) => socket.end(answer(said)))
      }).listen(join(place, 'socket'))
      await once(server, 'listening')
      const way = await driver.open({
        run: runs.two,
        mounts: [{ path: folder, write: true }],
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
      expect(await finish(way, ['sh', '-c', script], { cwd: folder })).toEqual({
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
      const { stdout, code } = await finish(way, argv, { cwd: folder })
      expect({ code, length: stdout.length }).toEqual({ code: 0, length: 8 * 300_000 })
    })

    test('is still there for a command that was asked to stop', async () => {
      const { way } = await openWay((said) => `heard ${said}`)
      const script = `
        for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { if (signal === 'SIGTERM') { clearInterval(timer); ${send(way.forwardedAt, '"last words"')} } })
        const timer = setInterval(() => {}, 1000)
        console.log('up')`
      const command = await way.spawn(['node', '-e', script], { cwd: folder })
      await once(command.stdout, 'data')
      command.interrupt()
      const exit = command.kill()
      expect(await text(command.stdout)).toBe('heard last words')
      expect(await exit).toEqual({ code: 0, signal: null })
    })

    test('several commands in turn and at once', async () => {
      const { way } = await openWay()
      const argv = ['node', '-e', send(way.forwardedAt, '"one"')]
      const both = await Promise.all([finish(way, argv, { cwd: folder }), finish(way, argv, { cwd: folder })])
      expect([...both, await finish(way, argv, { cwd: folder })].map(({ stdout }) => stdout)).toEqual([
        'one',
        'one',
        'one',
      ])
    })

    test('who hangs up there: a connection that closes, nothing more', async () => {
      const { way, server } = await openWay()
      server.removeAllListeners('connection').on('connection', (socket) => socket.destroy())
      const { stdout, code } = await finish(way, ['node', '-e', send(way.forwardedAt, '"hello"')], { cwd: folder })
      expect({ stdout, code }).toEqual({ stdout: expect.stringMatching(/^(E\w+\n)?$/), code: 0 })
    })

    test('goes with the sandbox', async () => {
      const { way } = await openWay()
      const command = await way.spawn(['sleep', mark(7321)], { cwd: folder })
      await way[Symbol.asyncDispose]()
      expect(await command.exit).toEqual({ code: null, signal: 'SIGKILL' })
      const { stdout } = await finish(sandbox, ['node', '-e', send(way.forwardedAt, '""')], { cwd: folder })
      expect(stdout).toBe('ECONNREFUSED\n')
    })

    test('is not there unless it is asked for', () => {
      expect(sandbox.forwardedAt).toBeUndefined()
    })
  })

  describe('a service that is killed', () => {
    const script = (seconds: string) => `(setsid sleep ${seconds} >/dev/null 2>&1 &); echo up; sleep ${seconds}`

    async function killedService(run: string, seconds: string): Promise<void> {
      const argv = [join(fixtures, 'open-and-wait.ts'), fixture, run, root, 'sh', '-c', script(seconds)]
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
        await driver.reap((run) => run === runs.one)
      })

    if (!namespaced || contained)
      test('leaves what reap() then ends, of the runs named and no others', async () => {
        await killedService(runs.one, mark(7318))
        await killedService(runs.two, mark(7319))
        // Two shells and two sleeps: the first process, the command, and what it started; or what they are all in.
        expect(await driver.reap((run) => run === runs.one)).toBeGreaterThanOrEqual(contained ? 1 : 3)
        expect(await processesWith(`sleep ${mark(7318)}`)).toEqual([])
        expect(await processesWith(`sleep ${mark(7319)}`)).toHaveLength(2)
        await driver.reap((run) => run === runs.two)
        expect(await processesWith(`sleep ${mark(7319)}`)).toEqual([])
      })

    test('reap() spares what this service has at work', async () => {
      const command = await sandbox.spawn(['sh', '-c', `setsid sleep ${mark(7320)} & sleep ${mark(7320)}`], {
        cwd: folder,
      })
      await vi.waitFor(async () => expect(await processesWith(`sleep ${mark(7320)}`)).toHaveLength(2))
      expect(await driver.reap((run) => run === runs.main)).toBe(0)
      expect(await create(root).reap(() => false)).toBe(0)
      expect(await processesWith(`sleep ${mark(7320)}`)).toHaveLength(2)
      await command.kill(0)
    })
  })

  describe('what it says it does not do', () => {
    test('notes', () => {
      const said = sandbox.notes.join('\n')
      expect(/network is not limited/.test(said)).toBe(!confines)
      expect(/no boundary/.test(said)).toBe(!confines)
      expect(/may outlive/.test(said)).toBe(!confines && !namespaced)
    })
  })

  // The reader is the same without namespaces, so these seconds are spent once less.
  if (namespaced)
    test.for([
      ['without newlines', ['head', '-c', '1000000000', '/dev/zero']],
      ['in lines', ['sh', '-c', 'yes "a line of output that is neither short nor long" | head -c 1000000000']],
    ] as const)('1 GB %s costs the reader no memory', { timeout: 60_000 }, async ([, argv]) => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        join(fixtures, 'drink.ts'),
        fixture,
        folder,
        ...argv,
      ])
      const { bytes, longest, grownBytes } = JSON.parse(stdout) as Record<string, number>
      expect({ bytes, longest }).toEqual({
        bytes: 1_000_000_000,
        longest: expect.toSatisfy((n: number) => n > 8000 && n <= 16_384),
      })
      // Some 20 MB where the machine is idle; a busy one collects its garbage late. Of a gigabyte both are nothing.
      expect(grownBytes).toBeLessThan(160 * 1024 * 1024)
    })

  if (confines)
    describe('a bomb goes off inside its limits', () => {
      const limits = { memoryBytes: 128 * 1024 ** 2, cpus: 2, processes: 60, diskBytes: 48 * 1024 ** 2 }
      async function explode(run: string, argv: string[], diskBytes = limits.diskBytes) {
        const place = join(root, 'bombs')
        await mkdir(place, { recursive: true })
        onTestFinished(() => removeFolder(place))
        await using small = await driver.open({
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
        const place = join(root, 'bombs')
        await mkdir(place, { recursive: true })
        onTestFinished(() => removeFolder(place))
        await using small = await driver.open({ run: `${suite}-fork`, mounts: [{ path: place, write: true }], limits })
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
        expect(existsSync(join(root, 'bombs', 'full'))).toBe(true)
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

  if (confines)
    describe('walls', () => {
      test('mounts are as they were told, the inner of two too', async () => {
        const { stdout, stderr } = await shell(`
        cat "${root}/read only/file"; echo
        echo changed > "${root}/read only/file" || echo refused
        echo new > "${root}/read only/inner/file" && echo inner
        echo new > own && echo own; ls "${root}"; ls /tmp`)
        // The Node in use may stand below /tmp, too.
        const nodesFolder = process.execPath.startsWith('/tmp/') ? process.execPath.split('/')[2] : undefined
        expect(stdout.split('\n').filter((line) => line !== nodesFolder)).toEqual([
          'as it was',
          'refused',
          'inner',
          'own',
          'my work',
          'read only',
          root.split('/').at(-1),
          '',
        ])
        expect(stderr).toMatch(/Read-only file system/)
        expect(await readFile(join(root, 'read only', 'file'), 'utf8')).toBe('as it was')
        expect(await readFile(join(root, 'read only', 'inner', 'file'), 'utf8')).toBe('new\n')
      })

      test('another run and the folders of the operator are not there', async () => {
        expect(await shell(`cat "${root}/another-run/secret"`)).toMatchObject({
          code: 1,
          stdout: '',
          stderr: expect.stringMatching(/No such file/),
        })
        // An image has an /etc of its own; who may be in it is nobody's to read.
        const { stdout } = await shell(`
          ls -A / /home /etc | grep -v shadow; ls -A /root /var/lib /srv /run /sys 2>/dev/null
          for file in /etc/shadow* /etc/gshadow*; do [ -r "$file" ] && echo "shadow: $file"; done`)
        expect(stdout).not.toMatch(/shadow|gitconfig|ssh|machine-id|npmrc/)
        expect(stdout).toMatch(/overnight/)
      })

      test(
        'no secret of the service: environments, arguments, every file that can be read',
        { timeout: 60_000 },
        async () => {
          const search = `
        cat /proc/*/environ /proc/*/cmdline /proc/*/mountinfo 2>/dev/null | tr "\\0" "\\n" > "$HOME/seen"
        grep -c "OVERNIGHT_RUN" "$HOME/seen"
        grep -c "kept-by-the-[o]perator" "$HOME/seen"
        grep -rIls "kept-by-the-[o]perator" / --exclude-dir=proc --exclude-dir=usr --exclude-dir=node_modules | head -5`
          const { stdout } = await shell(search)
          const [sawItself, canaries, ...files] = stdout.trim().split('\n')
          expect(Number(sawItself)).toBeGreaterThan(0)
          expect({ canaries, files }).toEqual({ canaries: '0', files: [] })
        },
      )

      test('no network: the loopback of the machine is not its own', async () => {
        let knocks = 0
        const listener = createServer((socket) => {
          knocks += 1
          socket.end()
        }).listen(0, '127.0.0.1')
        await once(listener, 'listening')
        const { port } = listener.address() as { port: number }
        const knock = `require('node:net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', (e) => { console.log(e.code); process.exit(7) })`
        expect(await finish(sandbox, ['node', '-e', knock], { cwd: folder })).toMatchObject({
          code: 7,
          stdout: 'ECONNREFUSED\n',
        })
        expect(await promisify(execFile)(process.execPath, ['-e', knock])).toBeTruthy()
        await vi.waitFor(() => expect(knocks).toBe(1))
        listener.close()
        const { stdout } = await shell('cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /proc/net/route | tail -n +2')
        expect(stdout.trim()).toBe('lo')
      })

      test('nobody there is root, or can become it', async () => {
        const { stdout } = await shell(
          'id -u; id -un; hostname; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status | tr -s "\\t " " "; unshare -U true 2>/dev/null || echo no more namespaces',
        )
        expect(stdout.trim().split('\n')).toEqual([
          expect.stringMatching(/^[1-9]\d{3}$/),
          'overnight',
          'overnight',
          'CapEff: 0000000000000000',
          'CapBnd: 0000000000000000',
          'NoNewPrivs: 1',
          'no more namespaces',
        ])
      })

      test.skipIf(need(missing).skip)(
        'no key of the session that the service is in, and none that another run left there',
        async () => {
          expect(await inKeySession([tellKeys, tellKeys])).toMatch(
            /^service: kept-by-it!\nrun: .*\nleft: yes\nlisted: [1-9].*\nservice: kept-by-it!\nrun: left-by-run\n/,
          )
          const inside = [runs.one, runs.two].map((run) => [join(fixtures, 'open-and-wait.ts'), fixture, run, root])
          const said = await inKeySession(inside.map((argv) => [process.execPath, ...argv, ...tellKeys]))
          const nothing = ['service', 'run', 'left'].map((key) => `${key}: Operation not permitted\n`).join('')
          expect(said).toBe(`${nothing}listed: 0\n`.repeat(2))
        },
      )

      test('io_uring is refused, or the notes say that it is not', async () => {
        const argv = ['perl', '-e', 'syscall(425, 0, 0); print $! == 1 || $! == 38 ? "closed" : "open: $!"']
        const { stdout } = await finish(sandbox, argv, { cwd: folder })
        expect(stdout).toMatch(sandbox.notes.some((note) => note.includes('io_uring')) ? /^open/ : /^closed$/)
      })

      test('nothing of the machine can be set or filled', async () => {
        const { stdout } = await shell(
          'for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/vm/drop_caches /dev /etc / /usr /bin; do [ -w $f ] && echo "$f"; done; touch /x 2>/dev/null && echo x; df -k /tmp "$HOME" /dev/shm | awk \'NR > 1 { if ($2 > 4194304) print $6 }\'',
        )
        expect(stdout).toBe('')
      })

      test('a process sees its own kind only', async () => {
        const { stdout } = await shell('ls /proc | grep -c "^[0-9]"')
        expect(Number(stdout)).toBeLessThan(8)
        expect(existsSync(`/proc/${process.pid}`)).toBe(true)
      })
    })
}
