import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createBubblewrapDriver } from '../../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { sandboxContract } from '../../contract/sandbox.ts'
import { finish } from '../../contract/sandbox/place.ts'
import { need } from '../../support/need.ts'

const missing = await createBubblewrapDriver().probe()
const bubblewrap = need(missing === undefined ? undefined : `bubblewrap: ${missing}`)

async function ground() {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'overnight-bubblewrap-')))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return root
}

describe.skipIf(bubblewrap.skip)(`bubblewrap${bubblewrap.note}`, () => {
  sandboxContract({ confines: true, namespaced: true, fixture: 'bubblewrap', create: () => createBubblewrapDriver() })

  test('a hidden folder is empty inside a mount, except for what is mounted in it', async () => {
    const root = await ground()
    const data = join(root, 'project', '.overnight')
    const checkout = join(data, 'work', 'run-1', 'tree')
    await mkdir(checkout, { recursive: true })
    await writeFile(join(data, 'token'), 'secret')
    await writeFile(join(root, 'project', 'routine.md'), 'prompt')
    await symlink(join(root, 'project'), join(root, 'alias'))
    const driver = createBubblewrapDriver({ hidden: [data, '/nonexistent'] })
    for (const project of ['project', 'alias'].map((name) => join(root, name))) {
      await using sandbox = await driver.open({
        run: 'hidden',
        mounts: [
          { path: checkout, write: true },
          { path: project, write: false },
        ],
      })
      const script = `ls -A "${project}" "${project}/.overnight"; touch "${project}/.overnight/x" 2>/dev/null || echo refused; touch new && echo written`
      const { stdout } = await finish(sandbox, ['sh', '-c', script], { cwd: checkout })
      expect(stdout).toContain('routine.md')
      expect(stdout).not.toContain('token')
      expect(stdout).toMatch(/refused\nwritten\n$/)
    }
  })

  test('a mount below /var/tmp, which is the same as /tmp there', async () => {
    const root = await mkdtemp('/var/tmp/overnight-bubblewrap-')
    onTestFinished(() => rm(root, { recursive: true, force: true }))
    await using sandbox = await createBubblewrapDriver().open({ run: 'var', mounts: [{ path: root, write: true }] })
    const script = 'echo here > file; cat "$1/file"; echo x > /tmp/x; cat /var/tmp/x'
    expect(await finish(sandbox, ['sh', '-c', script, 'sh', root], { cwd: root })).toMatchObject({
      stdout: 'here\nx\n',
    })
    expect(await readFile(join(root, 'file'), 'utf8')).toBe('here\n')
  })

  test('a hidden folder of the system is empty, too, except for what is mounted in it; and /usr/src is not there', async () => {
    const [one, another] = (await readdir('/usr/share/doc', { withFileTypes: true })).filter((entry) =>
      entry.isDirectory(),
    )
    const mount = join('/usr/share/doc', one!.name)
    await using sandbox = await createBubblewrapDriver({ hidden: ['/usr/share/doc', '/usr/bin'] }).open({
      run: 'system',
      mounts: [{ path: mount, write: false }],
    })
    const script =
      'ls /usr/share/doc; ls "$1"; ls /usr /usr/local | grep -x src; touch /usr/share/doc/x || echo refused'
    const { stdout } = await finish(sandbox, ['sh', '-c', script, 'sh', mount], { cwd: '/tmp' })
    expect(another).toBeDefined()
    expect(stdout.trim().split('\n')).toEqual([one!.name, ...(await readdir(mount)).toSorted(), 'refused'])
  })

  test('whose keys the kernel keeps is not told', async () => {
    await using sandbox = await createBubblewrapDriver().open({ run: 'keys', mounts: [] })
    const { stdout } = await finish(sandbox, ['sh', '-c', 'cat /proc/keys /proc/key-users | wc -c'], { cwd: '/tmp' })
    expect(stdout).toBe('0\n')
  })

  test('one program below a hidden home shows, and nothing beside it', async () => {
    const root = await ground()
    const program = join(root, 'home', '.local', 'share', 'agent')
    await mkdir(join(root, 'home', '.ssh'), { recursive: true })
    await mkdir(join(root, 'home', '.local', 'share'), { recursive: true })
    await writeFile(join(root, 'home', '.local', 'share', 'token'), 'secret')
    await writeFile(program, '#!/bin/sh\necho at work\n', { mode: 0o755 })
    const driver = createBubblewrapDriver({ hidden: [join(root, 'home')] })
    await using sandbox = await driver.open({ run: 'agent', mounts: [{ path: program, write: false }] })
    const script = `${program}; find "${root}" | sort; touch "${program}" 2>/dev/null || echo refused`
    const { stdout } = await finish(sandbox, ['sh', '-c', script], { cwd: '/tmp' })
    const shown = ['', '/home', '/home/.local', '/home/.local/share', '/home/.local/share/agent']
    expect(stdout.trim().split('\n')).toEqual(['at work', ...shown.map((path) => `${root}${path}`), 'refused'])
  })

  test.for([
    [(root: string) => join(root, 'home'), 'not for agents'],
    [() => '/tmp', 'folder of the system'],
    [() => '/', 'folder of the system'],
    [(root: string) => join(root, 'never-made'), 'not there'],
    [() => 'relative/path', 'absolute'],
    [(root: string) => `${root}/home/../home`, 'absolute'],
  ] as const)('a mount it refuses: %#', async ([pathIn, why]) => {
    const root = await ground()
    await mkdir(join(root, 'home'))
    const driver = createBubblewrapDriver({ hidden: [join(root, 'home')] })
    const opening = driver.open({ run: 'refused', mounts: [{ path: pathIn(root), write: false }] })
    await expect(opening).rejects.toMatchObject({ reason: 'no_sandbox', message: expect.stringContaining(why) })
  })
})

test('a missing bwrap is a sentence, and a refusal when opened', async () => {
  const driver = createBubblewrapDriver({ program: '/nonexistent/bwrap' })
  expect(await driver.probe()).toMatch(/could not be started.*ENOENT/)
  await expect(driver.open({ run: 'r', mounts: [] })).rejects.toMatchObject({
    reason: 'no_sandbox',
    hint: expect.stringContaining('install bubblewrap'),
  })
})

test('a bwrap that may not make namespaces does not count', async () => {
  const root = await ground()
  const program = join(root, 'bwrap')
  await writeFile(program, '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n', {
    mode: 0o755,
  })
  expect(await createBubblewrapDriver({ program }).probe()).toContain('No permissions to create new namespace')
})

test('a bwrap that starts things without walls does not count', async () => {
  const root = await ground()
  const program = join(root, 'bwrap')
  await writeFile(program, '#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n', { mode: 0o755 })
  expect(await createBubblewrapDriver({ program }).probe()).toContain('pid namespace')
})

test('a bwrap that is installed while the service runs is found half a minute later', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const program = join(await ground(), 'bwrap')
  const driver = createBubblewrapDriver({ program })
  expect(await driver.probe()).toMatch(/ENOENT/)
  await symlink('/bin/sh', program)
  vi.advanceTimersByTime(29_000)
  expect(await driver.probe()).toMatch(/ENOENT/)
  vi.advanceTimersByTime(1_000)
  expect(await driver.probe()).not.toMatch(/ENOENT/)
})
