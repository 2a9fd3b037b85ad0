import type { Probes } from './choose.ts'
import { createBubblewrapDriver } from './bubblewrap.ts'
import { createProcessDriver } from './process.ts'
import type { SandboxDriver, SandboxName } from './sandbox.ts'

export type SandboxDrivers = Partial<Record<SandboxName, SandboxDriver>>

/** Every driver of this version, by the name routines use. `hidden`: folders that no sandbox with walls may show (the data folder, the operator's home). */
export function createSandboxDrivers(options: { hidden?: readonly string[] } = {}): SandboxDrivers {
  return { process: createProcessDriver(), bubblewrap: createBubblewrapDriver(options) }
}

/** Really starts one of each; drivers remember the answer, so only the first call a service costs anything. */
export async function probeSandboxes(drivers: SandboxDrivers): Promise<Probes> {
  const probes: Probes = {}
  for (const driver of Object.values(drivers)) probes[driver.name] = await driver.probe()
  return probes
}
