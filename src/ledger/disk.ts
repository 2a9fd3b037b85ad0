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
  throw new DiskFull(`free some space: ${folder} needs ${reserveBytes / 1024 / 1024} MB`)
}

class DiskFull extends StepFailed {
  constructor(hint: string, cause?: unknown) {
    super('disk_full', 'the disk of the ledger is full', { status: 503, retryable: true, hint, cause })
  }
}

/** The server's own word for it (class 53 of the SQLSTATEs), as ours; any other error as it is. */
export function named(error: unknown): unknown {
  return (error as { code?: unknown }).code === '53100' ? new DiskFull('free some space', error) : error
}

export function freeBytes(folder: string): number {
  const disk = statfsSync(folder)
  return disk.bavail * disk.bsize
}
