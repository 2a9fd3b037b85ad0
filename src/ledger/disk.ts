import { statfsSync } from 'node:fs'
import { StepFailed } from '../errors.ts'

/**
 * Two segments of the write-ahead log. The server stops for good when it cannot write the next one, so writes are
 * refused while there is still room for those under way.
 */
const reserveBytes = 32 * 1024 * 1024

export const hasSpace = (folder: string): boolean => freeBytes(folder) >= reserveBytes

/** Throws StepFailed `disk_full` (503, retryable) when the disk of the folder has little left. */
export function requireSpace(folder: string): void {
  if (hasSpace(folder)) return
  throw new StepFailed('disk_full', 'the disk of the ledger is full', {
    status: 503,
    retryable: true,
    hint: `free some space: ${folder} needs ${reserveBytes / 1024 / 1024} MB`,
  })
}

export function freeBytes(folder: string): number {
  const disk = statfsSync(folder)
  return disk.bavail * disk.bsize
}
