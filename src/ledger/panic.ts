import type { PGlite } from '@electric-sql/pglite'

/** The server is gone: it said so, or its machine trapped. */
export function isPanic(error: unknown): boolean {
  const { severity, name } = error as { severity?: unknown; name?: unknown }
  return severity === 'PANIC' || severity === 'FATAL' || name === 'ExitStatus' || name === 'RuntimeError'
}

/**
 * After a PANIC the server spins for ever on whatever it is sent next, and PGlite itself sends one message more after
 * every failed statement. So from then on nothing reaches the server: everything fails with what it last said.
 */
export function silenceAfterPanic(pglite: Pick<PGlite, 'execProtocolStream'>): void {
  const send = pglite.execProtocolStream.bind(pglite)
  const state = { panic: undefined as { said: unknown } | undefined }
  pglite.execProtocolStream = async (...message) => {
    if (state.panic) throw state.panic.said
    try {
      return await send(...message)
    } catch (error) {
      if (isPanic(error)) state.panic = { said: error }
      throw error
    }
  }
}
