import { and, desc, eq, inArray, isNotNull, isNull, or, sql } from './sql.ts'
import { copyPack, readPack } from './packs.ts'
import { patches, publications, runs, type PatchFacts, type Publication, type Run, type StoredPatch } from './schema.ts'
import type { Database } from './store.ts'

type Pushed = { branch: string } | { commit: string | null; pull: number | null }

function isOf(repository: string, pushed: Pushed) {
  if ('branch' in pushed) return eq(publications.branch, pushed.branch)
  const { commit, pull } = pushed
  // What is null is equal to nothing.
  const isPull = eq(publications.pull, pull === null ? sql`null` : `${repository}#${pull}`)
  return or(eq(publications.commit, commit === null ? sql`null` : commit), isPull)
}

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

    /**
     * A later run of the same routine and subject that has published to the same repository, or found that what is published
     * is right. When it ended does not matter: of two runs the one that was asked for later knows better.
     */
    async newerThan(
      run: Pick<Run, 'id' | 'routine' | 'subject' | 'repository'>,
    ): Promise<{ run: string; branch: string | null } | undefined> {
      const rows = await db
        .select({ run: runs.id, branch: runs.branch })
        .from(runs)
        .leftJoin(publications, eq(publications.run, runs.id))
        .where(
          and(
            eq(runs.routine, run.routine),
            eq(runs.subject, run.subject),
            eq(runs.repository, run.repository ?? ''),
            // Asked of the ledger: an instant that came through JavaScript has lost its microseconds.
            sql`(${runs.createdAt}, ${runs.id}) > (select created_at, id from runs as mine where mine.id = ${run.id})`,
            or(
              isNotNull(publications.run),
              and(inArray(runs.state, ['published', 'unchanged']), eq(runs.trial, false)),
            ),
          ),
        )
        .limit(1)
      return rows[0]
    },

    /**
     * The depth of the run that last pushed to this branch, this commit or this pull request; undefined: none of ours did. The outside
     * may tell of a push before it is on record: then of the deepest that is publishing there.
     */
    async depthOf(repository: string, pushed: Pushed): Promise<number | undefined> {
      const rows = await db
        .select({ depth: runs.depth })
        .from(publications)
        .innerJoin(runs, eq(runs.id, publications.run))
        .where(and(eq(publications.repository, repository), isOf(repository, pushed)))
        .orderBy(desc(publications.createdAt))
        .limit(1)
      if (rows[0]) return rows[0].depth
      const publishing = await db
        .select({ depth: runs.depth })
        .from(runs)
        .where(and(isNull(runs.endedAt), eq(runs.state, 'publishing'), eq(runs.repository, repository)))
        .orderBy(desc(runs.depth))
        .limit(1)
      return publishing[0]?.depth
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
