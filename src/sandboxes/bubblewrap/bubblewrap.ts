import { StepFailed } from '../../errors.ts'
import { bubblewrapArgv, type System } from './argv.ts'
import { readSystem } from './system.ts'
import { findCgroups, type Cgroups } from '../cgroups/cgroup.ts'
import { hostPlatform } from '../host-platform.ts'
import { commandPath } from '../commands/command-path.ts'
import { holdNamespace } from '../commands/hold.ts'
import { forwarderInside, forwardPort, sandboxHome } from '../inside.ts'
import { killLeftovers } from '../commands/leftovers.ts'
import { unlimited, usualLimits } from '../limits.ts'
import { coverMounts, coverSystem } from '../mounts.ts'
import { createOpenRuns, openSandbox } from '../open-sandbox.ts'
import type { Limits, SandboxDriver } from '../sandbox.ts'
import { doubtMs, remember } from '../remember.ts'
import { roomNote } from '../room.ts'
import { hostSocketNote, keysNote, uringNote } from '../call-notes.ts'
import { callFilter } from './call-filter.ts'
import { startLimited } from '../cgroups/start-limited.ts'
import { whyNotNamespaced } from '../commands/start-probe.ts'

type Found = { system: System } | { missing: string }
const installHint = 'install bubblewrap and allow user namespaces, or write sandbox: process'

export type BubblewrapOptions = {
  program?: string
  hidden?: readonly string[]
  limits?: Limits
  cgroups?: () => Promise<Cgroups>
}

/**
 * Linux namespaces through bwrap: own processes, no network, uid 1000, and of the file system only the system's programs and
 * the mounts; cgroups where this process may make some. Lost against docker: limits, where it may not.
 * `program` is the bwrap to start (default: the one in /usr/bin or /bin). `hidden` are folders of the operator that nothing may
 * show: inside a mount or the system they are empty, and as a mount they are refused. `cgroups` says where they are looked for.
 */
export function createBubblewrapDriver(options: BubblewrapOptions = {}): SandboxDriver {
  const { program = 'bwrap', hidden = [], limits = usualLimits } = options
  const runs = createOpenRuns()
  const { ask: find } = remember(
    () => firstWorking(program),
    (found) => ('missing' in found ? doubtMs : Infinity),
  )
  let cgroups: Promise<Cgroups> | undefined
  const groups = () => (cgroups ??= (options.cgroups ?? findCgroups)())

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
      const covers = [...(await coverMounts(mounts, hidden)), ...(await coverSystem(result.system.paths, hidden))]
      const caps = { ...limits, ...spec.limits }
      const cgroups = await groups()
      const remove = runs.add(spec.run)
      return openSandbox(spec, {
        name: 'bubblewrap',
        notes: [...notesOf(result.system, cgroups), roomNote],
        roomBytes: caps.diskBytes,
        platform: hostPlatform,
        forwardedAt: forward && `127.0.0.1:${forwardPort}`,
        defaults: { HOME: sandboxHome, PATH: commandPath, TMPDIR: '/tmp' },
        start: (argv, { env, cwd, signal }) =>
          startLimited(
            { cgroups, run: spec.run, limits: caps },
            {
              launcher: [
                program,
                ...bubblewrapArgv(result.system, { mounts, hidden: [...new Set(covers)], cwd, limits: caps }),
              ],
              launcherCwd: '/',
              argv,
              env,
              takeHold: holdNamespace,
              filter: result.system.callsFiltered ? callFilter() : undefined,
              forward: forward && {
                socket: forward.socket,
                port: forwardPort,
                program: forwarderInside,
                node: process.execPath,
              },
              signal,
            },
          ),
        close: async () => remove(),
      })
    },
    async reap(owned) {
      const abandoned = (run: string) => !runs.has(run) && owned(run)
      const killed = await killLeftovers(abandoned)
      await (await groups()).reap(abandoned)
      return killed
    },
  }
}

const yesThenNo = [true, false]
/** The strictest first. */
const abilities = yesThenNo.flatMap((nestingForbidden) =>
  yesThenNo.flatMap((processesLimited) =>
    yesThenNo.map((callsFiltered) => ({ nestingForbidden, processesLimited, callsFiltered })),
  ),
)

/** The strictest of what this bwrap and kernel can do; one that forbids too much to start is no use. */
async function firstWorking(program: string): Promise<Found> {
  const machine = await readSystem()
  let missing = ''
  for (const ability of abilities) {
    const filter = ability.callsFiltered ? callFilter() : undefined
    if (ability.callsFiltered && !filter) continue
    const system = { ...machine, ...ability }
    const launcher = [program, ...bubblewrapArgv(system, { mounts: [], hidden: [], cwd: '/tmp' })]
    // What fails once, on a machine that is short of something, is not given up for good.
    const why = (await whyNotNamespaced(launcher, filter)) && (await whyNotNamespaced(launcher, filter))
    if (why === undefined) return { system }
    missing = why
  }
  return { missing }
}

/** The kernel overlooks prlimit's number of processes for root. */
function notesOf({ nestingForbidden, processesLimited, callsFiltered }: System, cgroups: Cgroups): string[] {
  const few = cgroups.limits.includes('pids') || (processesLimited && process.geteuid?.() !== 0)
  return [
    ...(cgroups.limits.includes('memory') ? [] : [unlimited.memory]),
    ...(cgroups.limits.includes('cpu') ? [] : [unlimited.cpus]),
    ...(few ? [] : [unlimited.processes]),
    ...(nestingForbidden ? [] : ['further user namespaces can be made inside']),
    ...(callsFiltered ? [] : [hostSocketNote, keysNote, uringNote]),
  ]
}
