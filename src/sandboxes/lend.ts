import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { User } from './docker-ground.ts'
import type { Mount } from './sandbox.ts'

const run = promisify(execFile)
const readableByAll = 0o005

/**
 * A service of root gives what its containers write to their user, and what they could not read of `ours`; everybody else owns
 * it already. By chown(1), which follows no link here: there may be an agent's tree behind it.
 */
export async function lend(user: User, mounts: readonly Mount[], ours: (path: string) => boolean): Promise<void> {
  if (process.geteuid?.() !== 0) return
  const paths: string[] = []
  for (const { path, write } of mounts) if (write || (ours(path) && !(await isPublic(path)))) paths.push(path)
  if (paths.length === 0) return
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }
  await run('chown', ['--recursive', '--no-dereference', `${user.uid}:${user.gid}`, '--', ...paths], { env })
}

async function isPublic(path: string): Promise<boolean> {
  return ((await stat(path)).mode & readableByAll) === readableByAll
}
