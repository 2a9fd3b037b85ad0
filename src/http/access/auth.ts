import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { getSignedCookie, setSignedCookie } from 'hono/cookie'
import { createMiddleware } from 'hono/factory'
import { OvernightError } from '../../errors.ts'
import { proofOf } from './token.ts'

const cookieName = 'overnight'
const sessionSeconds = 90 * 24 * 3600
const linkMs = 15 * 60_000

export type SignIn = ReturnType<typeof createSignIn>

/** Who may talk to us: the holder of the token (CLI), or a browser that used a one-use link made by such a holder. */
export function createSignIn(
  token: string,
  { secure = false, now = Date.now }: { secure?: boolean; now?: () => number } = {},
) {
  const links = new Map<string, number>()
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(token)

  return {
    /** A path that signs one browser in, once, within 15 minutes. */
    createLink(): string {
      const key = randomBytes(24).toString('base64url')
      links.set(digest(key).toString('hex'), now() + linkMs)
      return `/sign-in?key=${key}`
    },
    /** True once for a key of `createLink`. */
    useLink(key: string): boolean {
      const id = digest(key).toString('hex')
      const until = links.get(id)
      links.delete(id)
      return until !== undefined && until > now()
    },
    isToken: (given: string): boolean => timingSafeEqual(digest(given), expected),
    prove: (challenge: string): string => proofOf(token, challenge),
    async openSession(c: Parameters<typeof setSignedCookie>[0]): Promise<void> {
      const until = String(now() + sessionSeconds * 1000)
      await setSignedCookie(c, cookieName, until, token, {
        httpOnly: true,
        secure,
        sameSite: 'Strict',
        path: '/',
        maxAge: sessionSeconds,
      })
    },
    async hasSession(c: Parameters<typeof getSignedCookie>[0]): Promise<boolean> {
      const until = await getSignedCookie(c, token, cookieName)
      return typeof until === 'string' && Number(until) > now()
    },
  }
}

export class Refused extends OvernightError {
  constructor(status: 401 | 403, message: string, hint: string) {
    super(message, { code: status === 401 ? 'unauthenticated' : 'forbidden', status, hint })
  }
}

/** Refuses foreign hosts (DNS rebinding) and foreign origins (cross-site requests) before anything else looks at a request. */
export function guardOrigin(allowedHosts: () => ReadonlySet<string>) {
  return createMiddleware(async (c, next) => {
    const hosts = allowedHosts()
    const host = c.req.header('host') ?? ''
    if (!hosts.has(host)) {
      throw new Refused(
        403,
        `this service does not answer for the host ${JSON.stringify(host)}`,
        'set OVERNIGHT_URL to the address people use',
      )
    }
    const origin = c.req.header('origin')
    if (origin !== undefined && origin !== 'null' && !hosts.has(origin.replace(/^https?:\/\//, ''))) {
      throw new Refused(
        403,
        `requests from ${JSON.stringify(origin)} are refused`,
        'use the pages of this service, or a token without a browser',
      )
    }
    const crossSite = c.req.header('sec-fetch-site') === 'cross-site' || origin === 'null'
    if (crossSite && c.req.method !== 'GET') {
      throw new Refused(403, 'cross-site requests are refused', 'use the pages of this service')
    }
    await next()
  })
}

/** The holder of the token, by a header alone: for what says more to those who may know. */
export function isOperator(signIn: SignIn, authorization: string | undefined): boolean {
  const bearer = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
  return bearer !== undefined && signIn.isToken(bearer)
}

/** Whom the operator's token or a session cookie stands for. */
export async function personOf(c: Context, signIn: SignIn): Promise<'cli' | 'page' | undefined> {
  const bearer = bearerOf(c)
  if (bearer !== undefined && signIn.isToken(bearer)) return 'cli'
  return (await signIn.hasSession(c)) ? 'page' : undefined
}

export const bearerOf = (c: Context): string | undefined =>
  /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1]

export const signInFirst = () =>
  new Refused(
    401,
    'sign in first',
    'open the link that `overnight sign-in` prints, or send `Authorization: Bearer <token>`',
  )

/** People only: anything but the operator's token or a session cookie is 401. Sets `actor` for the audit. */
export function requireSignIn(signIn: SignIn) {
  return createMiddleware<{ Variables: { actor: string } }>(async (c, next) => {
    const person = await personOf(c, signIn)
    if (person === undefined) throw signInFirst()
    c.set('actor', person)
    await next()
  })
}
