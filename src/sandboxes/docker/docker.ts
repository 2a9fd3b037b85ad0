import { randomBytes } from 'node:crypto'
import { StepFailed } from '../../errors.ts'
import { containerOf, labels } from './container.ts'
import { createDaemon, dockerRefused, soon, type Daemon } from './daemon.ts'
import { ensureGround, findId, type DockerGround } from './ground.ts'
import { findImage, probeRun, type Found } from './probe.ts'
import { startContainer } from './start.ts'
import { firstProcess } from '../commands/first-process.ts'
import { forwarderInside, forwardPort, sandboxHome } from '../inside.ts'
import { lend } from './lend.ts'
import { coverMounts, isInside } from '../mounts.ts'
import { createOpenRuns, openSandbox, type Walls } from '../open-sandbox.ts'
import { notStartable } from '../commands/refused.ts'
import { doubtMs, remember } from '../remember.ts'
import { roomNote } from '../room.ts'
import type { Limits, SandboxDriver, SandboxSpec } from '../sandbox.ts'

export type DockerOptions = {
  /** `unix://` and the daemon's socket. It must be of this machine: checkouts are shown to containers by their paths. */
  address: string
  image: string
  /** A folder of the service's own, under the same path for the daemon. */
  folder: string
  /** Where all of the service's own files are; a service of root gives containers what they must read of it, and of nothing else. */
  data: string
  /** Folders of the operator that no mount may show: inside a mount they are empty, and as a mount they are refused. */
  hidden?: readonly string[]
  limits: Limits
  /** Of a socket that may be anybody's, before anything else is asked of it; default 5000. */
  firstAnswerMs?: number
}

/**
 * A container for each command: its own processes and memory, no network, no right, and of the file system the image, read-only,
 * and the mounts. It ends with its command, and with it everything in it. Lost against bubblewrap: a third of a second a start,
 * and a service that is killed leaves its containers to `reap`.
 */
export function createDockerDriver(options: DockerOptions): SandboxDriver {
  const { address, folder } = options
  const daemon = createDaemon(address)
  const runs = createOpenRuns()
  const { ask: find, forget } = remember(() => findImage(daemon, options), standsMs)

  return {
    name: 'docker',
    async probe() {
      const answer = await find()
      return 'missing' in answer ? answer.missing : undefined
    },
    async about() {
      const answer = await find()
      return 'missing' in answer ? undefined : answer.about
    },
    async open(spec) {
      const answer = await find()
      if ('missing' in answer) {
        const { missing, hint, retryable } = answer
        throw new StepFailed('no_sandbox', `docker: ${missing}`, { hint, retryable })
      }
      const remove = runs.add(spec.run)
      try {
        const walls = await prepare(spec, { options, daemon, found: answer, forget })
        return openSandbox(spec, { ...walls, close: async () => remove() })
      } catch (error) {
        remove()
        throw error
      }
    },
    async reap(owned) {
      const id = await findId(folder)
      return id === undefined ? 0 : reap(daemon, id, (run) => !runs.has(run) && owned(run))
    },
  }
}

function standsMs(answer: Found): number {
  if (!('missing' in answer)) return Infinity
  // What passes by itself may have passed when the run is tried again.
  return answer.retryable ? 0 : doubtMs
}

type Means = { options: DockerOptions; daemon: Daemon; found: Exclude<Found, { missing: string }>; forget(): void }

async function prepare(spec: SandboxSpec, { options, daemon, found, forget }: Means): Promise<Omit<Walls, 'close'>> {
  const { image, folder, data, hidden = [], limits } = options
  const { volumes, path, closed, notes } = found
  const caps = { ...limits, ...spec.limits }
  const ground = await ensureGround(folder)
  const { forward } = spec
  const mounts = forward ? [...spec.mounts, { path: forward.socket, write: false }] : spec.mounts
  const unlocked = closed.filter((folder) =>
    mounts.some((mount) => folder !== mount.path && isInside(mount.path, folder)),
  )
  const covered = [...new Set([...(await coverMounts(mounts, hidden)), ...unlocked])]
  const lent = forward ? [...spec.mounts, { path: forward.socket, write: true }] : spec.mounts
  await lend(ground.user, lent, (path) => isInside(path, data))
  return {
    name: 'docker',
    notes: [...notes, roomNote],
    roomBytes: caps.diskBytes,
    // The name may have come to mean another image since.
    platform: async () => {
      const { Id } = await soon(daemon.getImage(image).inspect()).catch((error: unknown) => {
        throw dockerRefused(error, options)
      })
      return Id
    },
    forwardedAt: forward && `127.0.0.1:${forwardPort}`,
    defaults: { HOME: sandboxHome, PATH: path, TMPDIR: '/tmp' },
    async start(argv, { env, cwd, signal }) {
      signal?.throwIfAborted()
      if (argv.some((word) => word.includes('\0'))) throw notStartable(argv[0], 'an argument holds a null character')
      const way = forward && { socket: forward.socket, port: forwardPort, program: forwarderInside, node: 'node' }
      const first = firstProcess({ argv, env, forward: way, over: { streams: true, cwd } })
      const plan = { run: spec.run, name: nameFor(spec.run), image, volumes, ground, mounts, hidden: covered }
      const explain = (error: unknown) => {
        // It did work: whoever comes next looks again, and may take another sandbox.
        forget()
        return dockerRefused(error, options)
      }
      const made = containerOf({ ...plan, limits: caps, argv: first.argv })
      const container = await soon(daemon.createContainer(made)).catch((error: unknown) => {
        throw explain(error)
      })
      return startContainer({ container, told: first.told, argv, env, cwd, signal, explain })
    },
  }
}

/** For people who look at what runs. */
const nameFor = (run: string) => `overnight-${run.replaceAll(/[^\w.-]/g, '-')}-${randomBytes(4).toString('hex')}`

/** Removes containers of this data folder; a daemon that does not answer has none that anybody could end. */
async function reap(daemon: Daemon, id: DockerGround['id'], abandoned: (run: string) => boolean): Promise<number> {
  const filters = { label: [`${labels.data}=${id}`] }
  const all = await soon(daemon.listContainers({ all: true, filters })).catch(() => [])
  // Of a service that was killed while it tried Docker; one at work is somebody's.
  const left = all.filter(({ Labels, State }) => {
    const run = Labels[labels.run] ?? ''
    return run === probeRun ? State === 'exited' : abandoned(run)
  })
  const removed = await Promise.all(
    left.map(({ Id }) =>
      daemon
        .getContainer(Id)
        .remove({ force: true, v: true })
        .then(
          () => 1,
          () => 0,
        ),
    ),
  )
  return removed.reduce<number>((sum, one) => sum + one, 0)
}
