import Docker from 'dockerode'
import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { messageOf, StepFailed } from '../../errors.ts'

export type Daemon = Docker

const unix = 'unix://'
export const isLocal = (address: string): boolean => address.startsWith(`${unix}/`)

/** Asks nothing yet. */
export function createDaemon(address: string): Daemon {
  const socketPath = isLocal(address) ? address.slice(unix.length) : '/nonexistent'
  // A connection for each question: on one of before, a daemon that is ending goes on answering.
  const agent = new Agent({ keepAlive: false })
  // docker-modem puts what it sends into words for a log that is off, and every open connection with it: of fifteen starts at
  // once that was nine tenths of our processor time.
  const options = { socketPath, agent: Object.assign(agent, { [inspect.custom]: () => 'agent' }) }
  return new Docker(options)
}

/** Longer, and it hangs; a start under a load of fifteen others takes some seconds. */
const answerMs = 60_000

/** Rejects with ETIMEDOUT when there is no answer: a socket may take what is said to it for ever. */
export async function soon<T>(answer: Promise<T>, withinMs = answerMs): Promise<T> {
  const late = new AbortController()
  const tooLate = delay(withinMs, undefined, { signal: late.signal, ref: false }).then(() => {
    throw Object.assign(new Error(`no answer in ${withinMs / 1000} s`), { code: 'ETIMEDOUT' })
  })
  try {
    return await Promise.race([answer, tooLate])
  } finally {
    late.abort()
    tooLate.catch(() => undefined)
  }
}

/** Which daemon, and what it was to start. */
type Place = { address: string; image: string }
type Why = { message: string; hint: string; retryable: boolean }

/** What a daemon that does not do what it was asked means, for whoever reads the run or asks the doctor. */
export function explainDocker(error: unknown, { address, image }: Place): Why {
  const { code, statusCode, reason } = factsOf(error)
  const said = saidBy(error)
  if (statusCode === 404 && /no such image/i.test(`${said} ${reason}`)) return missingImage(image)
  if (/no space left on device/i.test(said))
    return {
      message: `the disk of Docker is full: ${said}`,
      hint: 'docker system df shows what is in it',
      retryable: true,
    }
  const away = awayBecause(code, address)
  if (away) return away
  // A program that speaks no HTTP, and one that speaks it about something else.
  if (code.startsWith('HPE_') || (statusCode > 0 && !speaksDocker(error)))
    return {
      message: `what listens at ${address} is no Docker daemon`,
      hint: 'set DOCKER_HOST to the socket of one: unix:///path/of/docker.sock',
      retryable: false,
    }
  const hint = 'docker info and the log of the daemon say more'
  return { message: `Docker: ${said}`, hint, retryable: true }
}

function missingImage(image: string): Why {
  return {
    message: `the image ${image} is not there, and nothing is pulled unasked`,
    hint: `build it: docker build --tag ${image} infra/sandbox – or name another in OVERNIGHT_SANDBOX_IMAGE`,
    retryable: false,
  }
}

function awayBecause(code: string, address: string): Why | undefined {
  const start = 'start Docker (systemctl start docker), or set DOCKER_HOST to its socket'
  // One that is started again takes its socket away meanwhile.
  if (code === 'ENOENT') return { message: `there is no Docker daemon at ${address}`, hint: start, retryable: true }
  if (code === 'EACCES' || code === 'EPERM')
    return {
      message: `the user of the service may not open ${address}`,
      hint: 'add the user to the group docker, and start the service again',
      retryable: false,
    }
  if (code === 'ENOTSOCK' || code === 'EISDIR')
    return { message: `${address} is no socket`, hint: start, retryable: false }
  if (code === 'ECONNREFUSED')
    return { message: `nobody answers at ${address}: the Docker daemon is down`, hint: start, retryable: true }
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ETIMEDOUT')
    return { message: `the Docker daemon at ${address} gave no whole answer`, hint: start, retryable: true }
  return undefined
}

export function dockerRefused(error: unknown, place: Place): StepFailed {
  if (error instanceof StepFailed) return error
  const { message, hint, retryable } = explainDocker(error, place)
  return new StepFailed('no_sandbox', `the sandbox could not be started: ${message}`, { hint, retryable, cause: error })
}

/** Errors of the daemon's own are JSON with one sentence. */
function saidBy(error: unknown): string {
  const { json } = factsOf(error)
  const sentence =
    typeof json === 'object' && json !== null && 'message' in json ? String(json.message) : messageOf(error)
  return sentence.trim().slice(0, 1000)
}

function speaksDocker(error: unknown): boolean {
  const { json } = factsOf(error)
  return typeof json === 'object' && json !== null && 'message' in json
}

type Facts = { code: string; statusCode: number; reason: string; json: unknown }

/** Errors of the system have a code, those of the daemon a status and what it said. */
function factsOf(error: unknown): Facts {
  const found = new Map<string, unknown>(error instanceof Error ? Object.entries(error) : [])
  const word = (name: string): string => {
    const value = found.get(name)
    return typeof value === 'string' ? value : ''
  }
  const status = found.get('statusCode')
  return {
    code: word('code'),
    statusCode: typeof status === 'number' ? status : 0,
    reason: word('reason'),
    json: found.get('json'),
  }
}
