import { setTimeout as delay } from 'node:timers/promises'
import { findMarked, isDescendant, sendSignal } from './processes.ts'

/** In the environment of everything a run starts. */
export const runMarker = 'OVERNIGHT_RUN'

const rounds = 100
const roundMs = 20

/**
 * Kills marked processes of the runs for which `owned` is true, until none is found; returns how many there were.
 * Never touches what this very process started: that belongs to a run at work.
 */
export async function killLeftovers(owned: (run: string) => boolean): Promise<number> {
  const killed = new Set<number>()
  for (let round = 0; round < rounds; round += 1) {
    const marked = (await findMarked(runMarker)).filter(({ value }) => owned(value))
    const left: number[] = []
    for (const { pid } of marked) if (!(await isDescendant(pid, process.pid))) left.push(pid)
    if (left.length === 0) break
    for (const pid of left) {
      sendSignal(pid, 'SIGKILL')
      killed.add(pid)
    }
    await delay(roundMs)
  }
  return killed.size
}
