import type { ContainerCreateOptions, MountSettings } from 'dockerode'
import { join } from 'node:path'
import type { DockerGround } from './ground.ts'
import { forwarderInside, sandboxHome } from '../inside.ts'
import type { Limits, Mount } from '../sandbox.ts'

/** Which containers are whose. */
export const labels = { run: 'overnight.run', data: 'overnight.data' }

export type ContainerPlan = {
  run: string
  name: string
  image: string
  /** Folders that the image declares as volumes: without a cover each would be a disk of its own, without a limit. */
  volumes: readonly string[]
  ground: DockerGround
  mounts: readonly Mount[]
  /** Folders inside the mounts that show as empty. */
  hidden: readonly string[]
  limits: Limits
  argv: readonly string[]
}

const memoryFileCap = 4 * 1024 ** 3

/**
 * One command's container. What the command is told (its environment above all) is not in here: whoever may ask Docker can
 * read all of this.
 */
export function containerOf(plan: ContainerPlan): ContainerCreateOptions {
  const { run, name, image, ground, limits, argv } = plan
  const user = `${ground.user.uid}:${ground.user.gid}`
  return {
    name,
    Image: image,
    User: user,
    Hostname: 'overnight',
    // Its environment is the image's own, so the first process begins with none.
    Entrypoint: ['/usr/bin/env', '-i', ...argv],
    Cmd: [],
    // To the whole group of the command, as Ctrl-C does. https://github.com/krallin/tini#process-group-killing
    Env: ['TINI_KILL_PROCESS_GROUP=1'],
    WorkingDir: '/',
    Healthcheck: { Test: ['NONE'] },
    Labels: { [labels.run]: run, [labels.data]: ground.id },
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: true,
    Tty: false,
    NetworkDisabled: true,
    HostConfig: {
      Init: true,
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      IpcMode: 'private',
      // Where Docker gives containers other users than the machine has, what a run writes would be nobody's here.
      UsernsMode: 'host',
      PidsLimit: limits.processes,
      Memory: limits.memoryBytes,
      // The same as above means: no swap beside it.
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * 1e9),
      ShmSize: memoryFile(limits),
      Tmpfs: memoryFolders(plan),
      Mounts: mountsOf(plan),
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }, ...fileLimit(limits)],
      // When the machine itself runs out, the agent goes before the service.
      OomScoreAdj: 500,
      // Docker's own log of what is printed would fill the disk.
      LogConfig: { Type: 'none', Config: {} },
    },
  }
}

/** One large file is stopped at once, without anybody looking. */
function fileLimit({ diskBytes }: Limits) {
  return Number.isFinite(diskBytes) ? [{ Name: 'fsize', Soft: diskBytes, Hard: diskBytes }] : []
}

/** Counted as memory by the kernel, so no more than there may be. */
const memoryFile = ({ memoryBytes }: Limits) => Math.min(memoryFileCap, Math.floor(memoryBytes / 2))

function memoryFolders({ ground, hidden, volumes, limits }: ContainerPlan): Record<string, string> {
  const size = `rw,nosuid,nodev,exec,size=${memoryFile(limits)}`
  const { uid, gid } = ground.user
  // A cover gets the mode of what it covers, and that may be its owner's alone: mounts inside it must be reached.
  const cover = `ro,nosuid,nodev,noexec,size=4k,mode=0755,uid=${uid},gid=${gid}`
  return {
    ...Object.fromEntries(volumes.map((path) => [path, `${size},mode=1777`])),
    '/tmp': `${size},mode=1777`,
    '/var/tmp': `${size},mode=1777`,
    [sandboxHome]: `${size},mode=0700,uid=${uid},gid=${gid}`,
    ...Object.fromEntries(hidden.map((path) => [path, cover])),
  }
}

function mountsOf({ ground, mounts }: ContainerPlan): MountSettings[] {
  const own = [
    { from: 'passwd', to: '/etc/passwd' },
    { from: 'group', to: '/etc/group' },
    { from: 'forwarder.mjs', to: forwarderInside },
  ].map(({ from, to }) => bind(join(ground.folder, from), to, { write: false }))
  return [...own, ...mounts.map(({ path, write }) => bind(path, path, { write }))]
}

function bind(from: string, to: string, { write }: { write: boolean }): MountSettings {
  return { Type: 'bind', Source: from, Target: to, ReadOnly: !write, BindOptions: { Propagation: 'rprivate' } }
}
