import { join } from 'node:path'
import { usualLimits } from '../limits.ts'
import { forwarderInside, sandboxHome } from '../inside.ts'
import type { Limits, Mount } from '../sandbox.ts'

/** What of this machine every sandbox sees, read-only. */
export type System = {
  /** Files and folders, shown at their own paths. */
  paths: string[]
  /** Links of the top level that are links here too (/lib → usr/lib), and those that make npm work. */
  links: { path: string; target: string }[]
  /** The most a memory file system may hold, in bytes. */
  memoryFileBytes: number
  /** bubblewrap can forbid further user namespaces inside. */
  nestingForbidden: boolean
  /** prlimit is there and may be used. The kernel ignores this limit for root, also for a root that is uid 1000 inside. */
  processesLimited: boolean
  /** Files of /proc that tell what is not of the namespaces; they are empty. */
  emptied: string[]
  /** bwrap reads on descriptor 4 which calls there are, and hands it to the kernel. */
  callsFiltered: boolean
}

const etc = join(import.meta.dirname, 'etc')

/** What one command sees beside the system. `hidden` folders are empty, except for mounts inside them. */
export type View = {
  mounts: readonly Mount[]
  hidden: readonly string[]
  cwd: string
  limits?: Pick<Limits, 'processes' | 'diskBytes'>
}

/** The arguments of bwrap up to where the first process begins. Later ones cover earlier ones, so the order is part of the walls. */
export function bubblewrapArgv(system: System, { mounts, hidden, cwd, limits = usualLimits }: View): string[] {
  const memory = (path: string, mode: string) => [
    '--perms',
    mode,
    '--size',
    String(system.memoryFileBytes),
    '--tmpfs',
    path,
  ]
  return [
    ['--unshare-user', '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    system.nestingForbidden ? ['--disable-userns'] : [],
    system.callsFiltered ? ['--seccomp', '4'] : [],
    ['--uid', '1000', '--gid', '1000', '--cap-drop', 'ALL', '--hostname', 'overnight'],
    // As process 1 the first process of ours decides when the namespace ends, and bwrap's end means that all are gone.
    ['--die-with-parent', '--new-session', '--as-pid-1'],
    system.links.flatMap(({ path, target }) => ['--symlink', target, path]),
    // Ours, not the operator's: who has an account on this machine is nobody's business inside.
    ['passwd', 'group', 'hosts', 'nsswitch.conf'].flatMap((name) => ['--ro-bind', join(etc, name), `/etc/${name}`]),
    ['--ro-bind', join(import.meta.dirname, '../forwarder.mjs'), forwarderInside],
    ['--proc', '/proc', '--dev', '/dev', ...memory('/dev/shm', '1777')],
    system.emptied.flatMap((path) => ['--dev-bind', '/dev/null', path]),
    // Relative, because bwrap makes the parents of a mount below it while the machine's own /tmp is still at the top.
    [...memory('/tmp', '1777'), '--symlink', '../tmp', '/var/tmp', ...memory(sandboxHome, '0700')],
    // The system's among them: the Node in use may stand below /tmp or the operator's home.
    parentsFirst([
      ...system.paths.map((path) => showMount({ path, write: false })),
      ...mounts.map(showMount),
      ...hidden.map(hide),
    ]),
    // Under a service of root, uid 1000 inside is still root to /proc/sys, where core_pattern names a program the host starts.
    [...hidden, '/proc', '/dev', '/'].flatMap((path) => ['--remount-ro', path]),
    ['--chdir', cwd],
    system.processesLimited ? ['prlimit', `--nproc=${limits.processes}:${limits.processes}`, ...fileLimit(limits)] : [],
  ].flat()
}

/** One large file is stopped at once, without anybody looking. */
const fileLimit = ({ diskBytes }: Pick<Limits, 'diskBytes'>) =>
  Number.isFinite(diskBytes) ? [`--fsize=${diskBytes}:${diskBytes}`] : []

type Layer = { path: string; argv: string[] }
const showMount = ({ path, write }: Mount): Layer => ({ path, argv: [write ? '--bind' : '--ro-bind', path, path] })
const hide = (path: string): Layer => ({ path, argv: ['--perms', '0755', '--tmpfs', path] })

/** What lies inside something else must come after it, or it would be covered. */
function parentsFirst(layers: readonly Layer[]): string[] {
  const depth = ({ path }: Layer) => path.split('/').length
  return layers.toSorted((a, b) => depth(a) - depth(b)).flatMap(({ argv }) => argv)
}
