import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { need } from '../../support/need.ts'
import { inKeySession, missing, tellKeys } from '../key-session.ts'
import { finish, fixtures, type Place } from './place.ts'

/** For sandboxes that confine. */
export function walls(at: Place): void {
  const { fixture, runs, shell } = at
  describe('walls', () => {
    test('mounts are as they were told, the inner of two too', async () => {
      const { stdout, stderr } = await shell(`
      cat "${at.root}/read only/file"; echo
      echo changed > "${at.root}/read only/file" || echo refused
      echo new > "${at.root}/read only/inner/file" && echo inner
      echo new > own && echo own; ls "${at.root}"; ls /tmp`)
      // The Node in use may stand below /tmp, too.
      const nodesFolder = process.execPath.startsWith('/tmp/') ? process.execPath.split('/')[2] : undefined
      expect(stdout.split('\n').filter((line) => line !== nodesFolder)).toEqual([
        'as it was',
        'refused',
        'inner',
        'own',
        'my work',
        'read only',
        at.root.split('/').at(-1),
        '',
      ])
      expect(stderr).toMatch(/Read-only file system/)
      expect(await readFile(join(at.root, 'read only', 'file'), 'utf8')).toBe('as it was')
      expect(await readFile(join(at.root, 'read only', 'inner', 'file'), 'utf8')).toBe('new\n')
    })

    test('another run and the folders of the operator are not there', async () => {
      expect(await shell(`cat "${at.root}/another-run/secret"`)).toMatchObject({
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
      expect(await finish(at.sandbox, ['node', '-e', knock], { cwd: at.folder })).toMatchObject({
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
        const inside = [runs.one, runs.two].map((run) => [join(fixtures, 'open-and-wait.ts'), fixture, run, at.root])
        const said = await inKeySession(inside.map((argv) => [process.execPath, ...argv, ...tellKeys]))
        const nothing = ['service', 'run', 'left'].map((key) => `${key}: Operation not permitted\n`).join('')
        expect(said).toBe(`${nothing}listed: 0\n`.repeat(2))
      },
    )

    test('io_uring is refused, or the notes say that it is not', async () => {
      const argv = ['perl', '-e', 'syscall(425, 0, 0); print $! == 1 || $! == 38 ? "closed" : "open: $!"']
      const { stdout } = await finish(at.sandbox, argv, { cwd: at.folder })
      expect(stdout).toMatch(at.sandbox.notes.some((note) => note.includes('io_uring')) ? /^open/ : /^closed$/)
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
