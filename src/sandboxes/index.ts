import type { Probes } from './choose.ts'
import { createBubblewrapDriver } from './bubblewrap/bubblewrap.ts'
import { createDockerDriver } from './docker/docker.ts'
import { createProcessDriver } from './process.ts'
import type { Limits, SandboxDriver, SandboxName } from './sandbox.ts'

export type SandboxDrivers = Partial<Record<SandboxName, SandboxDriver>>

export type SandboxSettings = {
  /** Folders that no sandbox with walls may show (the data folder, the operator's home). */
  hidden: readonly string[]
  /** The daemon's address, the image, a folder of our own that containers are shown files of, and where all that is ours is. */
  docker: { address: string; image: string; folder: string; data: string }
  /** For routines that have none of their own. */
  limits: Limits
}

/** Every driver of this version, by the name routines use. */
export function createSandboxDrivers({ hidden, docker, limits }: SandboxSettings): SandboxDrivers {
  return {
    docker: createDockerDriver({ ...docker, hidden, limits }),
    bubblewrap: createBubblewrapDriver({ hidden, limits }),
    process: createProcessDriver(),
  }
}

/** Really starts one of each; drivers remember the answer, so only the first call a service costs anything. */
export async function probeSandboxes(drivers: SandboxDrivers): Promise<Probes> {
  const probes: Probes = {}
  for (const driver of Object.values(drivers)) probes[driver.name] = await driver.probe()
  return probes
}
