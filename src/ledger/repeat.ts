import { setTimeout as delay } from 'node:timers/promises'
import { behind } from '../errors.ts'

const tries = 5

/**
 * Two transactions that wait for each other: the server ends one of them, which then changed nothing. Locks are taken in
 * one order wherever that can be said (a routine's before its runs', routines by name), and this is for where it cannot.
 */
export async function repeatOnDeadlock<T>(transaction: () => Promise<T>): Promise<T> {
  for (let left = tries - 1; ; left--) {
    try {
      return await transaction()
    } catch (error) {
      const real = behind(error)
      if (left === 0 || !isDeadlock(real)) throw real
      // Not both again at the same moment.
      await delay(Math.random() * 50)
    }
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: deadlock_detected, serialization_failure. */
function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40P01' || error.code === '40001')
}
