import { dirname, join, relative } from 'node:path'

/** Where a group for one command may be made: a folder a controller (version 1), or one for all of them (version 2). */
export type Places =
  | { version: 1; folders: Partial<Record<Controller, string>> }
  /** The first that can be used: a group that has processes of its own can seldom give controllers to others. */
  | { version: 2; folders: string[] }
export type Controller = (typeof controllers)[number]
export const controllers = ['memory', 'pids', 'cpu'] as const

/**
 * Of this process's own groups, so that what limits the service limits its agents too. `own` is /proc/self/cgroup, `mounts` is
 * /proc/self/mountinfo (proc_pid_cgroup(5), proc_pid_mountinfo(5)).
 */
export function cgroupPlaces(own: string, mounts: string): Places {
  const mounted = mounts.split('\n').flatMap(readMount)
  const groups = new Map(own.split('\n').flatMap(readGroup))
  const folders: Partial<Record<Controller, string>> = {}
  for (const controller of controllers) {
    const mount = mounted.find(({ type, options }) => type === 'cgroup' && options.includes(controller))
    const folder = mount && folderOf(mount, groups.get(controller))
    if (folder !== undefined) folders[controller] = folder
  }
  // Where both are mounted, the controllers are with version 1.
  if (Object.keys(folders).length > 0) return { version: 1, folders }
  const mount = mounted.find(({ type }) => type === 'cgroup2')
  const folder = mount && folderOf(mount, groups.get(''))
  if (mount === undefined || folder === undefined) return { version: 2, folders: [] }
  return { version: 2, folders: folder === mount.at ? [folder] : [folder, dirname(folder)] }
}

type Mounted = { root: string; at: string; type: string; options: string[] }

function readMount(line: string): Mounted[] {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root, at] = before.split(' ')
  const [type = '', , options = ''] = after.split(' ')
  return root === undefined || at === undefined ? [] : [{ root, at, type, options: options.split(',') }]
}

/** `4:memory,hugetlb:/path` as one entry a controller; version 2 is the one without a name. */
function readGroup(line: string): [controller: string, path: string][] {
  const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
  if (names === undefined || path === undefined) return []
  return names.split(',').map((name) => [name, path])
}

/** A container may have only a part of the tree mounted: paths are then those of the whole one. */
function folderOf({ root, at }: Mounted, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  const within = relative(root, path)
  return within.startsWith('..') ? at : join(at, within)
}
