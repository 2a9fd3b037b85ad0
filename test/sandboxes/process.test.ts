import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createProcessDriver } from '../../src/sandboxes/process.ts'
import { sandboxContract } from '../contract/sandbox.ts'
import { need } from '../support/need.ts'

await using probing = await createProcessDriver().open({ run: 'probing', mounts: [] })
const namespaced = !probing.notes.some((note) => note.includes('no pid namespace'))
const namespace = need(namespaced ? undefined : 'a pid namespace: unshare was refused')

describe.skipIf(namespace.skip)(`process in a pid namespace${namespace.note}`, () => {
  sandboxContract({
    confines: false,
    namespaced: true,
    fixture: 'process',
    create: (folder) => createProcessDriver({ folder }),
  })
})

describe('process without namespaces', () => {
  sandboxContract({
    confines: false,
    namespaced: false,
    fixture: 'process without namespaces',
    create: (folder) => createProcessDriver({ folder, namespaces: false }),
  })
})

test('reap() removes the folders of the runs named and no others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-reap-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const killed = createProcessDriver({ folder })
  const [one, two] = [randomUUID(), randomUUID()]
  await killed.open({ run: one, mounts: [] })
  await killed.open({ run: two, mounts: [] })
  expect(await killed.reap((run) => run === one || run === two)).toBe(0)
  expect(await readdir(folder)).toHaveLength(2)
  await createProcessDriver({ folder }).reap((run) => run === one)
  expect(await readdir(folder)).toEqual([expect.stringContaining(two)])
})
