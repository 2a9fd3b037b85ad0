import type { Container } from 'dockerode'
import { setTimeout as delay } from 'node:timers/promises'
import { soon } from './docker-daemon.ts'
import { decodeExit } from './endings.ts'
import type { Exit } from './sandbox.ts'

/** A daemon that is started again is back by then; one that is not leaves the container to the next sweep. */
const awayMs = 60_000
const againMs = 500
const lost: Exit = { code: null, signal: 'SIGKILL', cause: 'sandbox_lost' }

/**
 * How it ends, once it is started; then the container is removed. Never rejects. Asked for before the start, or a short
 * command would have ended before anybody looked. `wasAsked`: somebody here wanted it to end.
 */
export async function exitOfContainer(container: Container, wasAsked: () => boolean): Promise<{ exit: Exit }> {
  const wait = container.wait({ condition: 'next-exit' })
  const code = await wait.then(
    ({ StatusCode }: { StatusCode: number }) => StatusCode,
    () => undefined,
  )
  const exit = code === undefined ? await lookAgain(container) : await withCause(container, decodeExit(code), wasAsked)
  await soon(container.remove({ force: true, v: true })).catch(() => undefined)
  return { exit }
}

/** The connection broke: the daemon is being started again, or has ended. Where it keeps containers alive, the command goes on. */
async function lookAgain(container: Container): Promise<Exit> {
  for (const deadline = performance.now() + awayMs; performance.now() < deadline; await delay(againMs)) {
    const found = await soon(container.inspect()).catch((error: unknown) => (isGone(error) ? 'gone' : undefined))
    if (found === 'gone') return lost
    if (found === undefined) continue
    if (!found.State.Running) return lost
    await container.wait().catch(() => undefined)
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
