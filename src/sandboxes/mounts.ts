import { realpath } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { StepFailed } from '../errors.ts'
import { sandboxHome } from './inside.ts'
import type { Mount } from './sandbox.ts'

/** Folders of the sandbox's own; a mount over one of them would take it away, or show the machine's instead. */
const ownFolders = ['/tmp', '/proc', '/dev', '/etc', '/usr', sandboxHome]

/**
 * Where `hidden` folders would show inside the mounts, links followed: these paths must be covered.
 * Throws StepFailed('no_sandbox') for a mount that cannot be shown, or that is itself hidden.
 */
export async function coverMounts(mounts: readonly Mount[], hidden: readonly string[]): Promise<string[]> {
  const secret = (await Promise.all(hidden.map((path) => realpath(path).catch(() => undefined)))).filter(
    (path) => path !== undefined,
  )
  const covered = new Set<string>()
  for (const { path } of mounts) {
    const real = await realpathOf(path)
    for (const folder of secret.filter((folder) => isInside(folder, real))) {
      if (folder === real) throw refused(path, 'what lies there is not for agents')
      covered.add(join(path, relative(real, folder)))
    }
  }
  return [...covered]
}

async function realpathOf(path: string): Promise<string> {
  if (!isAbsolute(path) || resolve(path) !== path) throw refused(path, 'it is not an absolute, plain path')
  if (ownFolders.some((own) => isInside(own, path))) throw refused(path, 'it is or holds a folder of the system')
  return realpath(path).catch((cause: unknown) => {
    throw refused(path, 'it is not there', cause)
  })
}

function refused(path: string, why: string, cause?: unknown): StepFailed {
  const hint = 'keep the routine in a folder of its own, or write sandbox: process'
  return new StepFailed('no_sandbox', `a sandbox cannot show ${JSON.stringify(path)}: ${why}`, { hint, cause })
}

/** `path` is below `folder`, or is it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}
