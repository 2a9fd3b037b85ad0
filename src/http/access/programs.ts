import { createHash } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { BadRequest, logged, TooMany } from '../../errors.ts'
import type { KnownToken } from '../../ledger/tokens.ts'
import type { ApiToken } from '../../ledger/schema.ts'
import { createAllowance } from './allowance.ts'
import { bearerOf, personOf, Refused, signInFirst, type SignIn } from './auth.ts'
import type { Face } from '../face.ts'
import { scopeOf } from './rights.ts'

/** `token`: set when a program asks, and absent when a person does. */
export type Asked = { Variables: { actor: string; token?: ApiToken } }

/** What a token looks like; anything else is refused without asking the ledger. */
const tokenShape = /^ovn_[\w-]{43}$/
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Tokens not seen before, for each address: 256 bits cannot be guessed, and each guess would cost a question to the ledger. */
const guesses = { burst: 60, perSecond: 1, mostKeys: 10_000 }
/** Requests of one token. */
const requests = { burst: 100, perSecond: 10, mostKeys: 10_000 }
const knownAtMost = 10_000

/** Before everything below `/v1`: a person (the operator's token, a signed-in browser), or a program whose token has the right. */
export function requireCaller(face: Pick<Face, 'ledger' | 'signIn' | 'log'>) {
  const unknown = createAllowance(guesses)
  const used = createAllowance(requests)
  const known = new Set<string>()
  const underWay = new Map<string, Promise<KnownToken | undefined>>()

  /** Who asks with the same token at the same moment shares one look into the ledger. */
  function lookUp(bearer: string, hash: string): Promise<KnownToken | undefined> {
    if (!tokenShape.test(bearer)) return Promise.resolve(undefined)
    const looking = underWay.get(hash) ?? face.ledger.tokens.withHash(hash).finally(() => underWay.delete(hash))
    underWay.set(hash, looking)
    return looking
  }
  async function tokenOf(bearer: string, from: string): Promise<KnownToken> {
    const hash = hashOf(bearer)
    // Taken before the ledger is asked, so that many at once are no way around it. Who was right before pays nothing, and is
    // not held up by the guesses of others behind the same proxy.
    const waitMs = known.has(hash) || underWay.has(hash) ? 0 : unknown.take(from)
    if (waitMs > 0) throw new TooMany('too many wrong tokens from your address', waitMs)
    const token = await lookUp(bearer, hash)
    if (token?.state === 'live') {
      known.add(hash)
      if (known.size > knownAtMost) known.delete(known.values().next().value!)
      return token
    }
    known.delete(hash)
    throw notLive(token)
  }

  return createMiddleware<Asked>(async (c, next) => {
    const bearer = bearerOf(c)
    const person = await personOf(c, face.signIn)
    if (person !== undefined) c.set('actor', person)
    else if (bearer === undefined) throw signInFirst()
    else {
      const token = await tokenOf(bearer, addressOf(c))
      const waitMs = used.take(token.id)
      if (waitMs > 0) throw new TooMany('this token asks too often', waitMs)
      requireScope(token, scopeOf(c.req.method, c.req.path.replace(/^\/v1/, '')))
      c.set('actor', `token:${token.id}`)
      c.set('token', token)
      await face.ledger.tokens.used(token.id).catch((error: unknown) => {
        face.log.warn({ by: `token:${token.id}`, ...logged(error) }, 'the last use of a token is not on record')
      })
    }
    await next()
  })
}

/** An address is written down by every proxy it passes: what stands in one is known to others, and is not repeated by us. */
export function refuseTokenInAddress(signIn: Pick<SignIn, 'isToken'>) {
  return createMiddleware(async (c, next) => {
    const written = [c.req.url, ...Object.values(c.req.queries()).flat(), ...c.req.path.split('/').map(decoded)]
    if (written.some((part) => /ovn_[\w-]{43}/.test(part) || signIn.isToken(part))) {
      throw new BadRequest(
        'there is a token in the address',
        'revoke it, and send another one as `Authorization: Bearer <token>`: addresses are logged on their way',
      )
    }
    await next()
  })
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function notLive(token: KnownToken | undefined): Refused {
  const hint = 'ask the operator for another one: `overnight token create`'
  if (token?.state === 'expired')
    return new Refused(401, `this token expired at ${token.expiresAt!.toISOString()}`, hint)
  if (token?.state === 'revoked')
    return new Refused(401, `this token was revoked at ${token.revokedAt!.toISOString()}`, hint)
  return signInFirst()
}

function requireScope(token: KnownToken, scope: ReturnType<typeof scopeOf>): void {
  if (scope === undefined)
    throw new Refused(403, 'tokens do not open this: it is for people', 'use the command line or the pages')
  if (!token.scopes.includes(scope)) {
    throw new Refused(
      403,
      `this takes a token with the scope ${scope}`,
      `ask the operator for one: \`overnight token create NAME --scope ${scope}\``,
    )
  }
}

/** Of the connection: what a header says of it anybody can write. */
function addressOf(c: Context): string {
  // Without a server in front (`app.request`) there is no connection.
  return c.env === undefined || !('incoming' in (c.env as object)) ? '' : (getConnInfo(c).remote.address ?? '')
}
