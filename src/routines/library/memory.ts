import type { Routine } from '../routine.ts'

/** A routine that people put back to an older version: that one is in force for as long as its file has the text `from`. */
export type RolledBack = { routine: Routine; from: string }

/** What is known from before, and from other processes. */
export type Memory = {
  /** Of a file that is broken at the start: the version of it that was good. */
  lastGood(name: string): Promise<Routine | undefined>
  /** Everything in force, when the files are out of reach at the start. */
  inForce(): Promise<Routine[]>
  rolledBack(): Promise<RolledBack[]>
}
