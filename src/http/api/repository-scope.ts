import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The name by which a run knows a repository that a person wrote: `owner/name`, also for an address of it, or a whole path. undefined: nothing
 * that a run could ever work on has this name; a path that depends on where somebody stands is one of those.
 */
export function repositoryScope(written: string): string | undefined {
  if (written.startsWith('file:///') && URL.canParse(written)) return pathOf(() => fileURLToPath(written))
  const [, scp] = /^[^/\s]+@[^/\s:]+:\/?(.+)$/.exec(written) ?? []
  const isAddress = /^(https?|ssh):\/\//i.test(written) && URL.canParse(written)
  const name = scp ?? (isAddress ? new URL(written).pathname.slice(1) : written)
  const [, owner, short] = /^([A-Za-z0-9][A-Za-z0-9-]*)\/([A-Za-z0-9_.-]+?)(?:\.git)?$/.exec(withoutEnd(name)) ?? []
  if (owner !== undefined && short !== undefined && !/^\.*$/.test(short)) return `${owner}/${short}`
  return written.startsWith('/') ? pathOf(() => written) : undefined
}

function pathOf(read: () => string): string | undefined {
  try {
    return withoutEnd(posix.normalize(read())) || '/'
  } catch {
    return undefined
  }
}

const withoutEnd = (path: string) => path.replace(/\/+$/, '')
