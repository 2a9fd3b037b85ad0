import { StepFailed } from '../errors.ts'
import type { Log } from '../log.ts'
import { chooseSandbox } from './choose.ts'
import { probeSandboxes, type SandboxDrivers } from './index.ts'
import type { Sandbox, SandboxName, SandboxSpec } from './sandbox.ts'

type Wish = { sandbox: SandboxName | null; engine: { name: string }; needsWalls: boolean }

/** Opens the kind of sandbox a routine gets on this machine; what it lacks is written on the sandbox's notes. */
export function createSandboxOpener(drivers: SandboxDrivers, log: Log) {
  return async function open(wish: Wish, spec: SandboxSpec): Promise<Sandbox> {
    // Drivers remember what works; what does not may have been put right since.
    const choice = chooseSandbox({ ...wish, engine: wish.engine.name }, await probeSandboxes(drivers))
    if ('refused' in choice) {
      const asked = wish.sandbox === null ? undefined : drivers[wish.sandbox]
      // It says itself what to do, and whether that passes: a daemon that is started again is there for the next try.
      if (asked) return asked.open(spec)
      throw new StepFailed(choice.reason, choice.refused, { hint: choice.hint })
    }
    if (choice.warning !== undefined) log.warn({ run: spec.run }, choice.warning)
    const sandbox = await drivers[choice.driver]!.open(spec)
    return choice.warning === undefined ? sandbox : { ...sandbox, notes: [choice.warning, ...sandbox.notes] }
  }
}
