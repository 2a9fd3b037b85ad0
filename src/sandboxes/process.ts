import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runFolderPrefix, socketRoot } from '../run-folder.ts'
import { hostPlatform } from './host-platform.ts'
import { commandPath } from './commands/command-path.ts'
import { openForward } from './forward.ts'
import { holdGroup, holdNamespace } from './commands/hold.ts'
import { killLeftovers } from './commands/leftovers.ts'
import { unlimited } from './limits.ts'
import { createOpenRuns, openSandbox } from './open-sandbox.ts'
import { removeFolder } from './remove-folder.ts'
import type { Sandbox, SandboxDriver, SandboxSpec } from './sandbox.ts'
import { startCommand } from './commands/start.ts'
import { whyNotNamespaced } from './commands/start-probe.ts'

// setpriv: when the service dies, so does unshare, and with it the namespace. setsid: a group of the command's own for SIGTERM.
const namespace = (...flags: string[]) =>
  `setpriv --pdeathsig KILL unshare ${flags.join(' ')} --pid --fork --kill-child --mount-proc setsid`.split(/ +/)
const launchers = [namespace(), namespace('--user', '--map-current-user')]

/** Tells one command's processes from another's where no namespace does. */
const commandMarker = 'OVERNIGHT_COMMAND'

/**
 * Confines nothing; what a run started dies with it, and with the service.
 * Lost against bubblewrap: every wall. Where no pid namespace may be made, also the certainty that all processes end.
 * `folder` holds the runs' HOME and TMPDIR (default: the system's temporary folder); `namespaces: false` never makes one.
 */
export function createProcessDriver(options: { namespaces?: boolean; folder?: string } = {}): SandboxDriver {
  const { namespaces = true, folder = tmpdir() } = options
  const runs = createOpenRuns()
  let launcher: Promise<string[] | undefined> | undefined
  const findLauncher = () => (launcher ??= namespaces ? firstWorking() : Promise.resolve(undefined))

  return {
    name: 'process',
    async probe() {
      await findLauncher()
      return undefined
    },
    async open(spec) {
      const launcher = await findLauncher()
      const remove = runs.add(spec.run)
      const own = await mkdtemp(join(folder, `${runFolderPrefix}${spec.run}.`))
      return open(spec, { own, launcher, remove })
    },
    async reap(owned) {
      const abandoned = (run: string) => !runs.has(run) && owned(run)
      const killed = await killLeftovers(abandoned)
      for (const root of new Set([folder, socketRoot()])) await removeAbandoned(root, abandoned)
      return killed
    },
  }
}

/** Folders of runs that are not at work any more. */
async function removeAbandoned(root: string, abandoned: (run: string) => boolean): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    const run = name.startsWith(runFolderPrefix) ? name.slice(runFolderPrefix.length, name.lastIndexOf('.')) : ''
    if (run !== '' && abandoned(run)) await removeFolder(join(root, name)).catch(() => undefined)
  }
}

async function firstWorking(): Promise<string[] | undefined> {
  for (const launcher of launchers) if ((await whyNotNamespaced(launcher)) === undefined) return launcher
  return undefined
}

type Ground = { own: string; launcher: string[] | undefined; remove: () => void }

async function open(spec: SandboxSpec, { own, launcher, remove }: Ground): Promise<Sandbox> {
  const defaults = { HOME: join(own, 'home'), PATH: commandPath, TMPDIR: join(own, 'tmp') }
  await mkdir(defaults.HOME)
  await mkdir(defaults.TMPDIR)
  const forward = spec.forward && (await openForward(spec.forward.socket))
  return openSandbox(spec, {
    name: 'process',
    notes: notesOf(launcher !== undefined),
    defaults,
    forwardedAt: forward?.address,
    platform: hostPlatform,
    async start(argv, { env, cwd, signal }) {
      const start = { argv, launcherCwd: cwd, signal }
      if (launcher) return startCommand({ ...start, launcher, env, takeHold: holdNamespace })
      const id = randomUUID()
      const takeHold = holdGroup(commandMarker, id)
      return startCommand({ ...start, launcher: [], env: { ...env, [commandMarker]: id }, takeHold })
    },
    async close() {
      await forward?.close()
      // A command may leave a tree that cannot be removed; the next reap tries again, the run's result stands.
      await removeFolder(own).catch(() => undefined)
      remove()
    },
  })
}

const notesOf = (namespaced: boolean) => [
  'the network is not limited',
  "process is no boundary: the agent can read and change whatever the service's user can",
  ...Object.values(unlimited),
  ...(namespaced
    ? []
    : [
        'no pid namespace can be made here: a process that leaves its group and clears its environment may outlive the run',
        'if the service is killed, what the agent started goes on until the service starts again',
      ]),
]
