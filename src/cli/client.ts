import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { FolderInUse, SetupError } from '../errors.ts'
import { readAddress } from '../http/address.ts'
import { proofOf, readToken } from '../http/access/token.ts'
import type { Service } from '../service.ts'
import type { Context } from './context.ts'
import { openLog } from './open-log.ts'
import { Said } from './said.ts'

/** How every command talks: HTTP to the live service, or to one opened in this process for as long as the command takes. */
export type Client = AsyncDisposable & {
  /** Address of the live service; undefined when this process opened the data folder itself. */
  live: string | undefined
  request(path: string, init?: RequestInit): Promise<Response>
  /** The JSON answer. Throws what the service said was wrong. */
  json<T>(path: string, init?: RequestInit): Promise<T>
  post<T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T>
  /** Lets the service of this process work on one run; a live service needs no telling. */
  workOn(run: string): void
}

const startingMs = 15_000

/**
 * Connects to the live service of the data folder, else opens the folder (under its lock) without timers and listeners.
 * Another command has the folder for a moment, and a service that is starting has it seconds before it answers: so it
 * waits a little before it gives up.
 */
export async function connect(context: Context): Promise<Client> {
  const told = openLog(levelFor(context))
  for (const until = performance.now() + startingMs; ; await delay(100)) {
    const live = await findLive(context)
    if (live !== undefined) return clientOf(live.token, { url: live.url })
    try {
      // Most commands find a service that is up, and need none of what one is made of.
      const { openService } = await import('../service.ts')
      const service = await openService(context.config(), { ...told, role: 'foreground' })
      return clientOf(service.token, { service })
    } catch (error) {
      if (!(error instanceof FolderInUse) || performance.now() > until) throw error
    }
  }
}

/**
 * A command tells people a story, so a log is between its lines only where somebody set its level. The price: what a service would warn of
 * is told by `overnight doctor`, `overnight check` and the notes of the run alone.
 */
function levelFor({ env, config }: Context): string {
  return (env['OVERNIGHT_LOG'] ?? '') === '' ? 'error' : config().logLevel
}

/** The live service alone; undefined where none answers. */
export async function connectLive(context: Context): Promise<Client | undefined> {
  const live = await findLive(context)
  return live && clientOf(live.token, { url: live.url })
}

type Live = { url: string; token: string }

/** The address of the service of this data folder, if one answers there. */
export async function findLive(context: Context): Promise<Live | undefined> {
  const { paths } = context.config()
  const [address, token] = [await readAddress(paths.address), await readToken(paths.token)]
  if (address === undefined || token === undefined) return undefined
  return (await isOurs(address.url, token)) ? { url: address.url, token } : undefined
}

/** A killed service leaves its address behind, and anybody may listen there since: the token goes only to who knows it. */
async function isOurs(url: string, token: string): Promise<boolean> {
  const challenge = randomBytes(16).toString('base64url')
  try {
    const answer = await fetch(new URL('/health', url), {
      headers: { 'overnight-challenge': challenge },
      signal: AbortSignal.timeout(2000),
    })
    return answer.headers.get('overnight-proof') === proofOf(token, challenge)
  } catch {
    return false
  }
}

function clientOf(
  token: string,
  peer: { url: string; service?: undefined } | { service: Service; url?: undefined },
): Client {
  const base = peer.url ?? 'http://127.0.0.1:0'
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = {
      authorization: `Bearer ${token}`,
      'overnight-client': 'cli',
      ...(init.headers as Record<string, string> | undefined),
    }
    const url = new URL(path, base)
    if (peer.service) return peer.service.app.request(url, { ...init, headers: { host: url.host, ...headers } })
    return fetch(url, { ...init, headers }).catch((cause: unknown) => {
      throw new SetupError(`the service at ${base} went away`, 'start it again: overnight up', cause)
    })
  }
  async function json<T>(path: string, init?: RequestInit): Promise<T> {
    const answer = await request(path, init)
    if (!answer.ok) throw new Said(answer.status, (await answer.json().catch(() => ({}))) as object)
    return (await answer.json()) as T
  }
  return {
    live: peer.url,
    request,
    json,
    post: (path, body, headers) =>
      json(path, {
        method: 'POST',
        body: JSON.stringify(body ?? {}),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    workOn: (run) => peer.service?.workOn(run),
    [Symbol.asyncDispose]: async () => {
      await peer.service?.[Symbol.asyncDispose]()
    },
  }
}
