import { availableParallelism } from 'node:os'
import type { Limits } from './sandbox.ts'

/** Where nobody says anything. Threads count as processes: room for a parallel test suite, too little to starve the machine. */
export const usualLimits: Limits = {
  memoryBytes: 4 * 1024 ** 3,
  cpus: availableParallelism(),
  processes: 4096,
  diskBytes: 10 * 1024 ** 3,
}
