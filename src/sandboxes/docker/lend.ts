import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { StepFailed } from '../../errors.ts'
import type { User } from './ground.ts'
import type { Mount } from '../sandbox.ts'

const run = promisify(execFile)

/**
 * A service of root gives what its containers write to their user, and what they could not read of `ours`; everybody else owns
 * it already. Throws StepFailed('no_sandbox') for what is neither theirs nor to be lent. By chown(1), which follows no link here: there may be an agent's tree behind it.
 */
export async function lend(user: User, mounts: readonly Mount[], ours: (path: string) => boolean): Promise<void> {
  if (process.geteuid?.() !== 0) return
  const paths: string[] = []
  for (const { path, write } of mounts) {
    if (!write && (await isPublic(path))) continue
    if (!write && !ours(path)) throw unreadable(path, user)
    paths.push(path)
  }
  if (paths.length === 0) return
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }
  await run('chown', ['--recursive', '--no-dereference', `${user.uid}:${user.gid}`, '--', ...paths], { env })
}

async function isPublic(path: string): Promise<boolean> {
  const found = await stat(path)
  const needed = found.isDirectory() ? 0o005 : 0o004
  return (found.mode & needed) === needed
}

/** Nobody asked us to change who may read what is the operator's own. */
function unreadable(path: string, { uid }: User): StepFailed {
  return new StepFailed(
    'no_sandbox',
    `docker: user ${uid}, whom containers of a service of root run as, may not read ${path}`,
    {
      hint: 'let everybody read it (chmod o+rX), start the service as another user than root, or write sandbox: bubblewrap',
    },
  )
}
