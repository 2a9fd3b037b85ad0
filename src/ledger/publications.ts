import { and, desc, eq, gt } from 'drizzle-orm'
import { copyPack, readPack } from './packs.ts'
import { patches, publications, type PatchFacts, type Publication, type Run, type StoredPatch } from './schema.ts'
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

    /** The same change for another run. False when there is none. */
    async copyPatch(from: string, to: string): Promise<boolean> {
      const facts = await this.changesOf(from)
      if (!facts) return false
      const { createdAt: _then, ...patch } = facts
      await db
        .insert(patches)
        .values({ ...patch, run: to })
        .onConflictDoNothing()
      await copyPack(db, from, to)
      return true
    },

    /** What a later run of the same routine and subject has published to the same repository. */
    async newerThan(
      run: Pick<Run, 'routine' | 'subject' | 'repository' | 'createdAt'>,
    ): Promise<Publication | undefined> {
      const rows = await db
        .select()
        .from(publications)
        .where(
          and(
            eq(publications.routine, run.routine),
            eq(publications.subject, run.subject),
            eq(publications.repository, run.repository ?? ''),
            gt(publications.createdAt, run.createdAt),
          ),
        )
        .limit(1)
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
