import { availableParallelism } from 'node:os'
import type { Limits } from './sandbox.ts'

/** What a run says of a limit that does not hold in its sandbox here. */
export const unlimited = {
  memory: 'memory is not limited',
  cpus: 'processor time is not limited',
  processes: 'the number of processes is not limited',
  disk: 'disk is not limited',
}

/** Where nobody says anything. Threads count as processes: room for a parallel test suite, too little to starve the machine. */
export const usualLimits: Limits = {
  memoryBytes: 4 * 1024 ** 3,
  cpus: availableParallelism(),
  processes: 4096,
  diskBytes: 10 * 1024 ** 3,
}
