import { setTimeout as delay } from 'node:timers/promises'
import { findMarked, firstChildOf, isAlive, sendSignal } from './processes.ts'

/** What is needed to end a started command with all it started. */
export type Hold = {
  /** SIGTERM to the command's process group. */
  terminate(): void
  /** SIGINT to it. */
  interrupt(): void
  /** SIGKILL to everything. */
  destroy(): void
  /** Called once the launcher has ended; resolves when nothing it started is left. */
  gone(): Promise<void>
}

/** Makes a hold on what the launcher with this pid has started. */
export type TakeHold = (launcher: number) => Promise<Hold>

const pollMs = 5

/**
 * For a launcher that waits for the first process of a pid namespace in a session of its own. The kernel ends the others before
 * that one counts as dead, and the launcher ends after it; so its end by itself says that all are gone.
 */
export const holdNamespace: TakeHold = async (launcher) => {
  const first = await firstChildOf(launcher)
  return {
    terminate: () => sendSignal(-(first ?? launcher), 'SIGTERM'),
    interrupt: () => sendSignal(-(first ?? launcher), 'SIGINT'),
    destroy() {
      // The launcher first: unshare would complain on the command's stderr about a child that was killed.
      sendSignal(launcher, 'SIGKILL')
      if (first !== undefined) sendSignal(first, 'SIGKILL')
    },
    async gone() {
      if (first !== undefined) await untilDead(first)
    },
  }
}

async function untilDead(pid: number): Promise<void> {
  while (await isAlive(pid)) await delay(pollMs)
}

/** Without a namespace: the process group, and whatever carries `variable=value` in its environment, until none is found. */
export function holdGroup(variable: string, value: string): TakeHold {
  return async (launcher) => ({
    terminate: () => sendSignal(-launcher, 'SIGTERM'),
    interrupt: () => sendSignal(-launcher, 'SIGINT'),
    destroy: () => sendSignal(-launcher, 'SIGKILL'),
    async gone() {
      for (;;) {
        sendSignal(-launcher, 'SIGKILL')
        const left = (await findMarked(variable)).filter((process) => process.value === value)
        if (left.length === 0) return
        for (const { pid } of left) sendSignal(pid, 'SIGKILL')
        await delay(pollMs)
      }
    },
  })
}
