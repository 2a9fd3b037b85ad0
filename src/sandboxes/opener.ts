import { StepFailed } from '../errors.ts'
import type { Log } from '../log.ts'
import { chooseSandbox } from './choose.ts'
import { probeSandboxes, type SandboxDrivers } from './index.ts'
import type { Sandbox, SandboxName, SandboxSpec } from './sandbox.ts'

/** `had`: what an earlier attempt of the run was in, null = there was none. */
export type SandboxWish = {
  sandbox: SandboxName | null
  engine: { name: string }
  needsWalls: boolean
  had: SandboxName | null
}

/** Opens the kind of sandbox a routine gets on this machine; what it lacks is written on the sandbox's notes. */
export function createSandboxOpener(drivers: SandboxDrivers, log: Log) {
  const worked = new Set<SandboxName>()
  return async function open(wish: SandboxWish, spec: SandboxSpec): Promise<Sandbox> {
    const had = wish.had === null ? [...worked] : [...worked, wish.had]
    // Drivers remember what works; what does not may have been put right since.
    const probes = await probeSandboxes(drivers)
    const choice = chooseSandbox({ ...wish, engine: wish.engine.name, had }, probes)
    if ('refused' in choice) {
      const blamed = wish.sandbox ?? choice.away
      const driver = blamed === undefined ? undefined : drivers[blamed]
      // It says itself what to do, and whether that passes: a daemon that is started again is there for the next try.
      if (driver) return driver.open(spec)
      throw new StepFailed(choice.reason, choice.refused, { hint: choice.hint })
    }
    if (choice.warning !== undefined) log.warn({ run: spec.run }, choice.warning)
    const sandbox = await drivers[choice.driver]!.open(spec)
    worked.add(choice.driver)
    return choice.warning === undefined ? sandbox : { ...sandbox, notes: [choice.warning, ...sandbox.notes] }
  }
}
