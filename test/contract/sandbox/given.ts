import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, test, vi } from 'vitest'
import { finish, processesHolding, fixtures, type Place } from './place.ts'

/** What a command is given: arguments, environment, streams; and what cannot be started. */
export function whatItIsGiven(at: Place): void {
  const { namespaced, contained, fixture, runs, shell } = at
  describe('what cannot be started', () => {
    test.for([['no-such-program'], ['./not-here'], ['/nonexistent/agent'], ['']])('%j', async (argv) => {
      const error = await at.sandbox.spawn(argv, { cwd: at.folder }).catch((error: unknown) => error)
      expect(error).toMatchObject({
        name: 'StepFailed',
        reason: 'no_agent',
        message: expect.stringContaining(JSON.stringify(argv[0])),
      })
      expect(error).toHaveProperty('hint', expect.stringMatching(argv[0]!.includes('/') ? /path/ : /PATH=.*\/usr\/bin/))
    })

    test('a file that may not be executed, and a folder', async () => {
      await writeFile(join(at.folder, 'plain.txt'), 'words')
      await expect(at.sandbox.spawn(['./plain.txt'], { cwd: at.folder })).rejects.toMatchObject({ reason: 'no_agent' })
      await expect(at.sandbox.spawn([at.folder], { cwd: at.folder })).rejects.toMatchObject({ reason: 'no_agent' })
    })

    test('arguments longer than the system takes', async () => {
      const argv = ['true', 'x'.repeat(3_000_000)]
      await expect(at.sandbox.spawn(argv, { cwd: at.folder })).rejects.toMatchObject({ reason: 'no_agent' })
    })

    test('a working directory that is not there', async () => {
      const cwd = join(at.root, 'never made')
      await expect(at.sandbox.spawn(['true'], { cwd })).rejects.toMatchObject({
        reason: 'no_sandbox',
        message: expect.stringContaining('never made'),
      })
    })
  })

  test('it says what its programs are, and the same the next time', async () => {
    await using next = await at.driver.open({ run: runs.one, mounts: [{ path: at.folder, write: true }] })
    expect(await at.sandbox.platform()).toMatch(/\S/)
    expect(await next.platform()).toBe(await at.sandbox.platform())
  })

  describe('what it is given', () => {
    test('arguments as they are, without a shell', async () => {
      const words = ['$HOME', '`id`', 'a b', '', '*', 'K=V', '-n', 'ü\n"\'\\']
      const { stdout } = await finish(at.sandbox, ['printf', '%s|', ...words], { cwd: at.folder })
      expect(stdout).toBe(`${words.join('|')}|`)
    })

    test.for(['a=b', 'echo', '-x'])('a program by the name of %s', async (name) => {
      const program = join(at.folder, 'programs', name)
      await mkdir(join(at.folder, 'programs'), { recursive: true })
      await writeFile(program, '#!/bin/sh\necho "mine $*"\n', { mode: 0o755 })
      expect(await finish(at.sandbox, [program, '1'], { cwd: at.folder })).toMatchObject({
        stdout: 'mine 1\n',
        code: 0,
      })
      const env = { PATH: `${join(at.folder, 'programs')}:/usr/bin:/bin` }
      expect(await finish(at.sandbox, [name, '1'], { cwd: at.folder, env })).toMatchObject({
        stdout: 'mine 1\n',
        code: 0,
      })
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
      const { stdout } = await finish(at.sandbox, ['node', '-e', script], { cwd: at.folder, env })
      const { HOME, PATH, TMPDIR, OVERNIGHT_COMMAND, ...rest } = JSON.parse(stdout) as Record<string, string>
      expect(rest).toEqual({ ...env, OVERNIGHT_RUN: runs.main })
      expect(typeof OVERNIGHT_COMMAND).toBe(namespaced ? 'undefined' : 'string')
      expect({ HOME, TMPDIR }).toEqual({ HOME: expect.stringMatching(/^\//), TMPDIR: expect.stringMatching(/^\//) })
      expect(PATH?.split(':')).toContain('/usr/bin')
    })

    test('an environment that no other user can read', async () => {
      const planted = `planted-${randomUUID()}`
      const env = { TOKEN: `${planted}-token`, PATH: `/usr/bin:/bin:/${planted}-folder` }
      const command = await at.sandbox.spawn(['sh', '-c', 'echo "$TOKEN $PATH"; read end'], { cwd: at.folder, env })
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
      const refused = at.sandbox.spawn(['true'], { cwd: at.folder, env: { [name!]: value! } })
      await expect(refused).rejects.toMatchObject({
        name: 'StepFailed',
        reason: 'no_agent',
        message: expect.stringContaining(JSON.stringify(name)),
      })
    })

    test('no environment larger than the system takes', async () => {
      const env = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`PART_${index}`, 'x'.repeat(100_000)]))
      const refused = at.sandbox.spawn(['true'], { cwd: at.folder, env })
      await expect(refused).rejects.toMatchObject({ reason: 'no_agent', message: expect.stringContaining('bytes') })
    })

    test('the Node that runs the service, an empty HOME, a TMPDIR to write in', async () => {
      const { stdout, stderr } = await shell('node -v; ls -A "$HOME"; touch "$HOME/a" "$TMPDIR/b" && echo written; pwd')
      expect({ stdout, stderr }).toEqual({ stdout: `${process.version}\nwritten\n${at.folder}\n`, stderr: '' })
    })

    test('no descriptor that the service got from its own parent', async () => {
      const whole = await open('/', 'r')
      const argv = [
        join(fixtures, 'open-and-wait.ts'),
        fixture,
        runs.two,
        at.root,
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
      const command = await at.sandbox.spawn(['sh', '-c', script], { cwd: at.folder })
      command.stdin.end('prompt\n')
      expect(await Promise.all([text(command.stdout), text(command.stderr)])).toEqual(['prompt\nend\n', 'beside\n'])
      expect(await command.exit).toEqual({ code: 0, signal: null })
    })

    test('its input, or nobody who reads it', async () => {
      const echo = await at.sandbox.spawn(['cat'], { cwd: at.folder })
      echo.stdin.end('prompt')
      expect(await text(echo.stdout)).toBe('prompt')
      const deaf = await at.sandbox.spawn(['true'], { cwd: at.folder })
      deaf.stdin.end('x'.repeat(5_000_000))
      expect(await deaf.exit).toEqual({ code: 0, signal: null })
      await vi.waitFor(() => expect(deaf.stdin.destroyed).toBe(true))
    })
  })
}
