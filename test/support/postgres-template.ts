import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const options = ['-U', 'overnight', '--auth=trust', '--no-sync', '--locale=C.UTF-8', '--encoding=UTF8']

/** Puts a new cluster at a path. Making one takes a second and more, so it is a copy of one made once by this `initdb`. */
export async function putFreshCluster(data: string, initdb: string, as: As): Promise<void> {
  // A thousand files; their owner stays.
  await run('cp', ['-a', await ensureTemplate(initdb, as), data])
}

/** The command line that runs a program as the owner of clusters, and the owner if that is somebody else. */
export type As = { argv(program: string, argv: string[]): [string, string[]]; owner: string | undefined }

async function ensureTemplate(initdb: string, as: As): Promise<string> {
  const made = createHash('sha256')
    .update([initdb, ...options].join('\n'))
    .digest('hex')
    .slice(0, 12)
  const template = join(tmpdir(), `overnight-test-postgres-${made}`)
  if (await stat(template).catch(() => undefined)) return template
  const mine = `${template}.${process.pid}`
  await mkdir(mine)
  if (as.owner) await run('chown', [as.owner, mine])
  await run(...as.argv(initdb, ['-D', join(mine, 'data'), ...options]), { cwd: mine })
  // Of two that made it at once the first one stays.
  await rename(join(mine, 'data'), template).catch(() => {})
  await rm(mine, { recursive: true, force: true })
  return template
}
