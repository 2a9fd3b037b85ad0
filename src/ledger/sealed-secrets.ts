import { and, asc, eq, sql } from './sql.ts'
import { sealedSecrets, type SealedSecret } from './schema.ts'
import type { Database } from './store.ts'

export type SecretPlace = Pick<SealedSecret, 'name' | 'routine' | 'repository'>

/** Secrets as they are kept: who reads the ledger alone cannot open them. */
export function createSealedSecrets(db: Database) {
  const order = [asc(sealedSecrets.name), asc(sealedSecrets.routine), asc(sealedSecrets.repository)] as const

  return {
    /** Of every scope. */
    called: (name: string): Promise<SealedSecret[]> =>
      db.select().from(sealedSecrets).where(eq(sealedSecrets.name, name)),

    all: (): Promise<SealedSecret[]> =>
      db
        .select()
        .from(sealedSecrets)
        .orderBy(...order),

    async put(secret: Omit<SealedSecret, 'at'>): Promise<void> {
      const { hosts, sealed, by } = secret
      await db
        .insert(sealedSecrets)
        .values(secret)
        .onConflictDoUpdate({
          target: [sealedSecrets.name, sealedSecrets.routine, sealedSecrets.repository],
          set: { hosts, sealed, by, at: sql`clock()` },
        })
    },

    /** False when there was none. */
    async remove({ name, routine, repository }: SecretPlace): Promise<boolean> {
      const table = sealedSecrets
      const place = and(eq(table.name, name), eq(table.routine, routine), eq(table.repository, repository))
      const rows = await db.delete(table).where(place).returning({ name: table.name })
      return rows.length === 1
    },
  }
}
