import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { Conflict, NotFound } from '../../errors.ts'
import type { KnownToken } from '../../ledger/tokens.ts'
import { duration, millisecondsOf } from '../../routines/keys/duration.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { findRoutine } from './fire-call.ts'
import { hashOf } from '../access/programs.ts'
import { refuseInvalid } from '../refuse.ts'
import { scopes } from '../access/rights.ts'

const Create = z.strictObject({
  name: z.string().trim().min(1).max(100).describe('For people: who uses it.'),
  routines: z.array(z.string()).min(1).max(1000).nullable().default(null).describe('Only these; null = every routine.'),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .default(['fire'])
    .describe('`fire`: fires routines that say `api: true`. `read`: routines and runs, with their story and change.'),
  expires: z
    .string()
    .refine(
      (written) => written === 'never' || duration.safeParse(written).success,
      'must be a duration such as 90d, or never',
    )
    .default('90d')
    .describe('From now on.'),
})
const Token = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(['live', 'expired', 'revoked']),
  routines: z.array(z.string()).nullable(),
  scopes: z.array(z.enum(scopes)),
  createdBy: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
  usedAt: z.iso.datetime().nullable().describe('To the minute.'),
})
export type TokenJson = z.infer<typeof Token>
const Created = Token.extend({ token: z.string().describe('Shown this once: only its hash is kept.') })
export type CreatedJson = z.infer<typeof Created>

/** Tokens of programs. People make them; a token makes no tokens. */
export function tokensApi(face: Face) {
  const app = new Hono<{ Variables: { actor: string } }>()

  app.get('/', describeJson('Tokens, newest first', 200, z.object({ tokens: z.array(Token) })), async (c) =>
    c.json({ tokens: (await face.ledger.tokens.list()).map(tokenJson) }),
  )

  app.post(
    '/',
    describeJson('A new token; it is shown in this answer and never again', 201, Created),
    validator('json', Create, refuseInvalid),
    async (c) => {
      const wanted = c.req.valid('json')
      for (const name of wanted.routines ?? []) findRoutine(face, name)
      const secret = `ovn_${randomBytes(32).toString('base64url')}`
      const made = await face.ledger.transaction(async (tx) => {
        await tx.oneAtATime('token.create')
        const namesake = await tx.tokens.called(wanted.name)
        if (namesake) throw new NameTaken(namesake)
        const token = await tx.tokens.insert({
          id: `tok_${randomBytes(6).toString('hex')}`,
          name: wanted.name,
          hash: hashOf(secret),
          routines: wanted.routines,
          scopes: [...new Set(wanted.scopes)],
          createdBy: c.get('actor'),
          lifeMs: wanted.expires === 'never' ? null : millisecondsOf(wanted.expires),
        })
        await tx.events.audit(c.get('actor'), 'token.create', token.id)
        return token
      })
      return c.json({ ...tokenJson(made), token: secret } satisfies CreatedJson, 201, { 'cache-control': 'no-store' })
    },
  )

  app.delete('/:id', describeJson('Revokes a token, by its id or its name, from now on', 200, Token), async (c) => {
    const words = c.req.param('id')
    const revoked = await face.ledger.transaction(async (tx) => {
      const token = await tx.tokens.called(words)
      if (!token) throw new NotFound('token', words, '`overnight token list` has them')
      if (await tx.tokens.revoke(token.id)) await tx.events.audit(c.get('actor'), 'token.revoke', token.id)
      return (await tx.tokens.called(token.id))!
    })
    return c.json(tokenJson(revoked))
  })
  return app
}

/** What is on record as done by a name was done by one token. */
class NameTaken extends Conflict {
  constructor({ id, name }: KnownToken) {
    super(
      `there is a token ${JSON.stringify(name)} already: ${id}`,
      `give another name, or end that one first: \`overnight token revoke ${id}\``,
    )
  }
}

/** Never the hash. */
function tokenJson(token: KnownToken): TokenJson {
  const { id, name, state, routines, scopes, createdBy, createdAt, expiresAt, revokedAt, usedAt } = token
  return {
    id,
    name,
    state,
    routines,
    scopes,
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
    usedAt: usedAt?.toISOString() ?? null,
  }
}
