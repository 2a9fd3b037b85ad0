import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Hold } from './hold.ts'
import type { Exit, SandboxProcess } from '../sandbox.ts'

export type Endings = Pick<SandboxProcess, 'exit' | 'kill' | 'interrupt'>

const defaultGraceMs = 5000

/** How a started command is ended: by itself (`exited`), by whoever asks, or by the signal. */
export function endings(hold: Hold, exited: Promise<{ exit: Exit }>, signal?: AbortSignal): Endings {
  let ended = false
  const killNow = () => void kill(0)
  const exit = exited.then(async ({ exit }) => {
    await hold.gone()
    ended = true
    signal?.removeEventListener('abort', killNow)
    return exit
  })
  async function kill(graceMs = defaultGraceMs): Promise<Exit> {
    if (graceMs > 0 && !ended) {
      const grace = new AbortController()
      hold.terminate()
      await Promise.race([exit, delay(graceMs, undefined, { signal: grace.signal }).catch(() => undefined)])
      grace.abort()
    }
    if (!ended) hold.destroy()
    return exit
  }
  signal?.addEventListener('abort', killNow, { once: true })
  if (signal?.aborted) killNow()
  return { exit, kill, interrupt: () => (ended ? undefined : hold.interrupt()) }
}

/** Shells, launchers and containers tell death by signal n as code 128+n; so a command that ends so by itself reads as one, everywhere. */
export function decodeExit(code: number): Exit {
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)
  return signal ? { code: null, signal: signal[0] } : { code, signal: null }
}

/** The same command, of whose ending more is known. */
export function endingAs(command: SandboxProcess, exit: Promise<Exit>): SandboxProcess {
  return {
    ...command,
    exit,
    kill: async (graceMs) => {
      await command.kill(graceMs)
      return exit
    },
  }
}
