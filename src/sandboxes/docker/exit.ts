import type { Container } from 'dockerode'
import type { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { soon } from './daemon.ts'
import { decodeExit } from '../commands/endings.ts'
import type { Exit } from '../sandbox.ts'

/** A daemon that is started again is back by then; one that is not leaves the container to the next sweep. */
const awayMs = 60_000
const againMs = 500
const lost: Exit = { code: null, signal: 'SIGKILL', cause: 'sandbox_lost' }

/**
 * How it ends, once it is started; then the container is removed. Never rejects. Asked for before the start, or a short
 * command would have ended before anybody looked. `wasAsked`: somebody here wanted it to end.
 */
export async function exitOfContainer(container: Container, wasAsked: () => boolean): Promise<{ exit: Exit }> {
  const code = await nextExit(container).catch(() => undefined)
  const exit =
    code === undefined ? await lostWithDaemon(container) : await withCause(container, decodeExit(code), wasAsked)
  await soon(container.remove({ force: true, v: true })).catch(() => undefined)
  return { exit }
}

type Modem = { dial(question: object, done: (error: unknown, answer: Readable) => void): void }

/** Its exit code. Rejects when the daemon does not wait for it, or goes away meanwhile. */
async function nextExit(container: Container): Promise<number> {
  // The answer as it comes: dockerode's own wait is never settled when the daemon dies in the middle of it.
  const modem: Modem = container.modem
  const question = {
    path: `/containers/${container.id}/wait?`,
    method: 'POST',
    options: { condition: 'next-exit' },
    isStream: true,
    statusCodes: { 200: true },
  }
  const { promise, resolve, reject } = Promise.withResolvers<Readable>()
  modem.dial(question, (error, answer) => (error ? reject(error) : resolve(answer)))
  const { StatusCode } = (await json(await promise)) as { StatusCode: number }
  return StatusCode
}

/**
 * The connection broke: the daemon ends, or has died, and may be started again. A container that outlives it goes on, but nobody
 * hears any more what it says; so it is lost, too, and removed as soon as somebody answers.
 */
async function lostWithDaemon(container: Container): Promise<Exit> {
  for (const deadline = performance.now() + awayMs; performance.now() < deadline; await delay(againMs)) {
    const answers = await soon(container.inspect()).then(
      () => true,
      (error: unknown) => isGone(error),
    )
    if (answers) break
  }
  return lost
}

/** A daemon that is told to end takes nobody in any more, then ends its containers, then itself. */
async function withCause(container: Container, exit: Exit, wasAsked: () => boolean): Promise<Exit> {
  const found = await soon(container.inspect()).catch(() => undefined)
  if (found?.State.OOMKilled && exit.code !== 0) return { ...exit, cause: 'out_of_memory' }
  return found === undefined && exit.code === null && !wasAsked() ? { ...exit, cause: 'sandbox_lost' } : exit
}

const isGone = (error: unknown) => error instanceof Error && 'statusCode' in error && error.statusCode === 404
