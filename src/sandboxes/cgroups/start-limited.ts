import { messageOf } from '../../errors.ts'
import type { Cgroups } from './cgroup.ts'
import { noSandbox } from '../commands/refused.ts'
import { endingAs } from '../commands/endings.ts'
import type { Exit, Limits, SandboxProcess } from '../sandbox.ts'
import { startCommand, type Start } from '../commands/start.ts'

type Within = { cgroups: Cgroups; run: string; limits: Limits }

/** The command in a group of its own; how it ended says what it ran into, unless it ended well. */
export async function startLimited({ cgroups, run, limits }: Within, start: Start): Promise<SandboxProcess> {
  const group = await cgroups.open(run, limits).catch((error: unknown) => {
    throw noSandbox(`its limits could not be set: ${messageOf(error)}`)
  })
  const command = await startCommand({ ...start, launcher: [...group.launcher, ...start.launcher] }).catch(
    async (error: unknown) => {
      await group.close()
      throw error
    },
  )
  const exit = command.exit.then(async (exit): Promise<Exit> => {
    const cause = await group.close()
    return cause === undefined || exit.code === 0 ? exit : { ...exit, cause }
  })
  return endingAs(command, exit)
}
