import { and, desc, eq, getTableColumns, isNull, or, sql } from './sql.ts'
import { apiTokens, type ApiToken } from './schema.ts'
import type { Database } from './store.ts'

type TokenState = 'live' | 'expired' | 'revoked'
export type KnownToken = ApiToken & { state: TokenState }
export type NewToken = Pick<ApiToken, 'id' | 'name' | 'hash' | 'routines' | 'scopes' | 'createdBy'> & {
  /** null = until it is revoked. */
  lifeMs: number | null
}

/** By the ledger's clock, like everything that ends in time. */
const state = sql<TokenState>`case when ${apiTokens.revokedAt} is not null then 'revoked'
  when ${apiTokens.expiresAt} <= clock() then 'expired' else 'live' end`

/** Tokens of programs; what opens the door is never kept, only its hash. */
export function createTokens(db: Database) {
  const select = () => db.select({ ...getTableColumns(apiTokens), state }).from(apiTokens)

  return {
    async insert({ lifeMs, ...token }: NewToken): Promise<KnownToken> {
      const expiresAt =
        lifeMs === null ? null : sql`clock() + make_interval(secs => ${lifeMs / 1000}::double precision)`
      await db.insert(apiTokens).values({ ...token, expiresAt })
      const rows = await select().where(eq(apiTokens.id, token.id))
      return rows[0]!
    },

    /** Also one that is not live any more: its holder is told why. */
    async withHash(hash: string): Promise<KnownToken | undefined> {
      const rows = await select().where(eq(apiTokens.hash, hash))
      return rows[0]
    },

    /** The one with this id, else the live one with this name. */
    async called(words: string): Promise<KnownToken | undefined> {
      const isId = eq(apiTokens.id, words)
      const rows = await select()
        .where(or(isId, and(eq(apiTokens.name, words), sql`${state} = 'live'`)))
        .orderBy(desc(isId), desc(apiTokens.createdAt))
        .limit(1)
      return rows[0]
    },

    /** Newest first. */
    list: (): Promise<KnownToken[]> => select().orderBy(desc(apiTokens.createdAt), desc(apiTokens.id)),

    /** False when it was revoked before. */
    async revoke(id: string): Promise<boolean> {
      const rows = await db
        .update(apiTokens)
        .set({ revokedAt: sql`clock()` })
        .where(and(eq(apiTokens.id, id), isNull(apiTokens.revokedAt)))
        .returning({ id: apiTokens.id })
      return rows.length === 1
    },

    /** It was used just now. To the minute: a program that asks all the time does not make a write of each question. */
    async used(id: string): Promise<void> {
      const isOld = sql`(${apiTokens.usedAt} is null or ${apiTokens.usedAt} <= clock() - interval '1 minute')`
      await db
        .update(apiTokens)
        .set({ usedAt: sql`clock()` })
        .where(and(eq(apiTokens.id, id), isOld))
    },
  }
}
