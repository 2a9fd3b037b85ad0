import { and, desc, eq } from 'drizzle-orm'
import { readPack } from './packs.ts'
import { patches, publications, type PatchFacts, type Publication, type StoredPatch } from './schema.ts'
import type { Database } from './store.ts'

/** What runs changed, and what left the house. */
export function createPublications(db: Database) {
  return {
    async patchOf(run: string): Promise<StoredPatch | undefined> {
      const facts = await this.changesOf(run)
      return facts && { ...facts, pack: await readPack(db, run) }
    },

    /** The same without the pack, for pages. */
    async changesOf(run: string): Promise<PatchFacts | undefined> {
      const rows = await db.select().from(patches).where(eq(patches.run, run))
      return rows[0]
    },

    /** The head we last pushed to this branch. */
    async lastPushed(repository: string, branch: string): Promise<Publication | undefined> {
      const rows = await db
        .select()
        .from(publications)
        .where(and(eq(publications.repository, repository), eq(publications.branch, branch)))
        .orderBy(desc(publications.createdAt))
        .limit(1)
      return rows[0]
    },
  }
}
