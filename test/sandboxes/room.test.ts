import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, test } from 'vitest'
import { createProcessDriver } from '../../src/sandboxes/process.ts'
import { withinRoom } from '../../src/sandboxes/room.ts'

const limitBytes = 8 * 1024 ** 2

/** Writes this much, and stays long enough to be looked at. */
async function write(bytes: number, room: number) {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-room-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await using sandbox = await createProcessDriver().open({ run: 'room', mounts: [{ path: folder, write: true }] })
  const argv = ['sh', '-c', `head -c ${bytes} /dev/zero > large; sleep 5`]
  return await withinRoom(await sandbox.spawn(argv, { cwd: folder }), [folder], room).exit
}

test.concurrent('an agent that writes more than there is room for is ended, and it is said', async ({ expect }) => {
  expect(await write(3 * limitBytes, limitBytes)).toMatchObject({ signal: 'SIGKILL', cause: 'out_of_room' })
})

test.concurrent('one that writes less is let alone, and so is one without a limit', async ({ expect }) => {
  const exits = await Promise.all([write(limitBytes / 2, limitBytes), write(3 * limitBytes, Infinity)])
  expect(exits).toEqual([0, 0].map((code) => ({ code, signal: null })))
})
