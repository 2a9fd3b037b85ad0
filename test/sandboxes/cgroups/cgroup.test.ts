import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createBubblewrapDriver } from '../../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { findCgroups } from '../../../src/sandboxes/cgroups/cgroup.ts'
import { usualLimits } from '../../../src/sandboxes/limits.ts'
import { finish } from '../../contract/sandbox/place.ts'
import { need } from '../../support/need.ts'

const found = await findCgroups()
const groups = need(found.limits.length > 0 ? undefined : 'cgroups that this process may make')
const walls = need(await createBubblewrapDriver().probe())

/** A /proc/self that tells of groups in this folder, which is no file system of groups. */
async function told(own: string, mount: (folder: string) => string) {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-cgroup-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'cgroup'), own)
  await writeFile(join(folder, 'mountinfo'), mount(folder))
  return folder
}

describe.skipIf(groups.skip)(`cgroups${groups.note}`, () => {
  test('what a killed service left is removed, of the runs named and when nobody is in it', async () => {
    const run = `cgroup-test-${process.pid}`
    const group = await found.open(run, usualLimits)
    const folders = group.launcher.filter((word) => word.includes(run))
    expect(folders.length).toBeGreaterThan(0)
    await found.reap((name) => name !== run)
    for (const folder of folders) expect(await readdir(folder)).toContain('cgroup.procs')
    await found.reap((name) => name === run)
    for (const folder of folders) await expect(readdir(folder)).rejects.toThrow('ENOENT')
    expect(await group.close()).toBeUndefined()
  })

  test('limits that no kernel takes', async () => {
    const limits = { ...usualLimits, processes: -5 }
    await expect(found.open(`cgroup-bad-${process.pid}`, limits)).rejects.toThrow(/EINVAL/)
  })
})

test.for([
  ['nothing is mounted', '0::/\n', () => ''],
  ['a folder that may not be written', '4:memory:/\n', () => '35 31 0:32 / /proc/sys rw - cgroup cgroup rw,memory\n'],
  ['a group that is not there', '0::/gone\n', (folder: string) => `41 31 0:38 / ${folder} rw - cgroup2 cgroup2 rw\n`],
] as const)('%s: nothing is limited, and a command starts', async ([, own, mount]) => {
  const cgroups = await findCgroups(await told(own, mount))
  expect(cgroups.limits).toEqual([])
  const group = await cgroups.open('run', usualLimits)
  expect(group.launcher).toEqual([])
  expect(await group.close()).toBeUndefined()
})

test.skipIf(walls.skip)(`without them a run says what is not limited${walls.note}`, async () => {
  const folder = await told('', () => '')
  const driver = createBubblewrapDriver({ cgroups: () => findCgroups(folder) })
  await using sandbox = await driver.open({ run: 'none', mounts: [] })
  expect(sandbox.notes).toEqual(expect.arrayContaining(['memory is not limited', 'processor time is not limited']))
  expect(await finish(sandbox, ['echo', 'works'], { cwd: '/tmp' })).toMatchObject({ code: 0, stdout: 'works\n' })
})
