import { setTimeout as delay } from 'node:timers/promises'
import { findMarked, firstChildOf, isAlive, sendSignal } from './processes.ts'

/** What is needed to end a started command with all it started. */
export type Hold = {
  /** SIGTERM to the command's process group. */
  terminate(): void
  /** SIGKILL to everything. */
  destroy(): void
  /** Called once the launcher has ended; resolves when nothing it started is left. */
  gone(): Promise<void>
}

/** Makes a hold on what the launcher with this pid has started. */
export type TakeHold = (launcher: number) => Promise<Hold>

const pollMs = 5

/**
 * For a launcher that waits for the first process of a pid namespace of its own session. Killing that one makes the kernel
 * kill the others before the launcher sees its end; so the launcher's end normally says that all are gone.
 */
export const holdNamespace: TakeHold = async (launcher) => {
  const first = await firstChildOf(launcher)
  return {
    terminate: () => sendSignal(-(first ?? launcher), 'SIGTERM'),
    destroy: () => sendSignal(first ?? launcher, 'SIGKILL'),
    async gone() {
      // Only when somebody else killed the launcher (the kernel short of memory) is there something to wait for.
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
