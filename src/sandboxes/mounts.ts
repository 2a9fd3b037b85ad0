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
  const secret = await foldersOf(hidden)
  const covered = new Set<string>()
  for (const { path } of mounts) {
    const real = await realpathOf(path)
    if (secret.includes(real)) throw refused(path, 'what lies there is not for agents')
    for (const cover of coversIn({ path, real }, secret)) covered.add(cover)
  }
  return [...covered]
}

/** The same for what of the system is shown. What is itself hidden (accounts of services have a HOME like /usr/sbin) stays: nothing starts without it. */
export async function coverSystem(paths: readonly string[], hidden: readonly string[]): Promise<string[]> {
  const secret = await foldersOf(hidden)
  const shown = await Promise.all(paths.map(async (path) => ({ path, real: await realpath(path).catch(() => path) })))
  return [...new Set(shown.flatMap((one) => coversIn(one, secret)))]
}

async function foldersOf(hidden: readonly string[]): Promise<string[]> {
  const found = await Promise.all(hidden.map((path) => realpath(path).catch(() => undefined)))
  return found.filter((path) => path !== undefined)
}

const coversIn = ({ path, real }: { path: string; real: string }, secret: readonly string[]) =>
  secret
    .filter((folder) => folder !== real && isInside(folder, real))
    .map((folder) => join(path, relative(real, folder)))

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
