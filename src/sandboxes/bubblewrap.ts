import { StepFailed } from '../errors.ts'
import { bubblewrapArgv, type System } from './bubblewrap-argv.ts'
import { readSystem } from './bubblewrap-system.ts'
import { commandPath } from './command-path.ts'
import { holdNamespace } from './hold.ts'
import { forwarderInside, forwardPort, sandboxHome } from './inside.ts'
import { killLeftovers } from './leftovers.ts'
import { coverMounts } from './mounts.ts'
import { createOpenRuns, openSandbox } from './open-sandbox.ts'
import type { SandboxDriver } from './sandbox.ts'
import { startCommand } from './start.ts'
import { whyNotNamespaced } from './start-probe.ts'

type Found = { system: System } | { missing: string }
const installHint = 'install bubblewrap and allow user namespaces, or write sandbox: process'

/**
 * Linux namespaces through bwrap: own processes, no network, uid 1000, and of the file system only the system's programs and
 * the mounts. Lost against docker: limits of memory, and under a service of root of the number of processes.
 * `program` is the bwrap to start (default: the one in /usr/bin or /bin). `hidden` are folders of the operator that no mount may
 * show: inside a mount they are empty, and as a mount they are refused.
 */
export function createBubblewrapDriver(options: { program?: string; hidden?: readonly string[] } = {}): SandboxDriver {
  const { program = 'bwrap', hidden = [] } = options
  const runs = createOpenRuns()
  let found: Promise<Found> | undefined
  const find = () => (found ??= firstWorking(program))

  return {
    name: 'bubblewrap',
    async probe() {
      const result = await find()
      return 'missing' in result ? result.missing : undefined
    },
    async open(spec) {
      const result = await find()
      if ('missing' in result)
        throw new StepFailed('no_sandbox', `bubblewrap: ${result.missing}`, { hint: installHint })
      const { forward } = spec
      const mounts = forward ? [...spec.mounts, { path: forward.socket, write: false }] : spec.mounts
      const covered = await coverMounts(mounts, hidden)
      const remove = runs.add(spec.run)
      return openSandbox(spec, {
        name: 'bubblewrap',
        notes: notesOf(result.system),
        forwardedAt: forward && `127.0.0.1:${forwardPort}`,
        defaults: { HOME: sandboxHome, PATH: commandPath, TMPDIR: '/tmp' },
        start: (argv, { env, cwd, signal }) =>
          startCommand({
            launcher: [program, ...bubblewrapArgv(result.system, { mounts, hidden: covered, cwd })],
            launcherCwd: '/',
            argv,
            env,
            takeHold: holdNamespace,
            forward: forward && {
              socket: forward.socket,
              port: forwardPort,
              program: forwarderInside,
              node: process.execPath,
            },
            signal,
          }),
        close: async () => remove(),
      })
    },
    reap: (owned) => killLeftovers((run) => !runs.has(run) && owned(run)),
  }
}

/** The strictest of what this bwrap and kernel can do; one that forbids too much to start is no use. */
async function firstWorking(program: string): Promise<Found> {
  const machine = await readSystem()
  let missing = ''
  for (const nestingForbidden of [true, false]) {
    for (const processesLimited of [true, false]) {
      const system = { ...machine, nestingForbidden, processesLimited }
      const why = await whyNotNamespaced([program, ...bubblewrapArgv(system, { mounts: [], hidden: [], cwd: '/tmp' })])
      if (why === undefined) return { system }
      missing = why
    }
  }
  return { missing }
}

const notesOf = ({ nestingForbidden, processesLimited }: System) => [
  'memory is not limited',
  ...(processesLimited && process.geteuid?.() !== 0 ? [] : ['the number of processes is not limited']),
  ...(nestingForbidden ? [] : ['further user namespaces can be made inside']),
]
