import { and, desc, eq, isNull, ne, sql } from './sql.ts'
import { inBatches } from './batches.ts'
import { createOutbox } from './outbox.ts'
import { alerts, type Alert, type OutboxRow } from './schema.ts'
import type { Database } from './store.ts'

export type NewAlert = Pick<Alert, 'kind' | 'key' | 'routine' | 'message'>

/** What is said of an alert, wherever it is said. */
export function alertFacts({ id, kind, routine, message, raisedAt, clearedAt }: Alert) {
  return {
    id,
    kind,
    routine: routine === '' ? null : routine,
    message,
    raisedAt: raisedAt.toISOString(),
    clearedAt: clearedAt?.toISOString() ?? null,
  }
}

function kindOf({ kind, clearedAt }: Alert): OutboxRow['kind'] {
  if (clearedAt !== null) return 'alert.cleared'
  return kind === 'routine_paused' ? 'routine.paused' : 'alert.raised'
}

/** What should have happened and did not. */
export function createAlerts(db: Database) {
  /** Whoever listens there is told, by the same transaction. */
  async function tell(alert: Alert, urls: readonly string[]): Promise<void> {
    const kind = kindOf(alert)
    const body = alertFacts(alert)
    await createOutbox(db).put(
      ...urls.map((url, index) => ({ id: `${kind.replace('.', '_')}_${alert.id}_${index}`, kind, url, body })),
    )
  }

  return {
    /** Undefined when one with this key is open: of many processes that see the same, one tells it. */
    async raise(alert: NewAlert, urls: readonly string[]): Promise<Alert | undefined> {
      const [raised] = await db.insert(alerts).values(alert).onConflictDoNothing().returning()
      if (raised) await tell(raised, urls)
      return raised
    },

    /** It was made good. Undefined when another process has said so. */
    async clear(id: number, urls: readonly string[]): Promise<Alert | undefined> {
      const rows = await db
        .update(alerts)
        .set({ clearedAt: sql`clock()` })
        .where(and(eq(alerts.id, id), isNull(alerts.clearedAt)))
        .returning()
      const [cleared] = rows
      if (cleared) await tell(cleared, urls)
      return cleared
    },

    /** That these routines are paused is no alert any more, and no news to anybody: they are gone. */
    async dropPaused(routines: readonly string[]): Promise<void> {
      for (const batch of inBatches(routines)) {
        const gone = sql`${alerts.routine} in (select json_array_elements_text(${batch}::json))`
        await db
          .update(alerts)
          .set({ clearedAt: sql`clock()` })
          .where(and(isNull(alerts.clearedAt), eq(alerts.kind, 'routine_paused'), gone))
      }
    },

    /** Open ones, newest first. */
    open(limit = 100): Promise<Alert[]> {
      return db.select().from(alerts).where(isNull(alerts.clearedAt)).orderBy(desc(alerts.id)).limit(limit)
    },

    /** Open ones that say something is wrong with the service, newest first. The watch keeps them few. */
    openFaults(): Promise<Alert[]> {
      const isFault = ne(alerts.kind, 'routine_paused')
      return db
        .select()
        .from(alerts)
        .where(and(isNull(alerts.clearedAt), isFault))
        .orderBy(desc(alerts.id))
    },

    async openOf(key: string): Promise<Alert | undefined> {
      const rows = await db
        .select()
        .from(alerts)
        .where(and(eq(alerts.key, key), isNull(alerts.clearedAt)))
      return rows[0]
    },

    /** Those that were made good, too, newest first. */
    list(limit: number): Promise<Alert[]> {
      return db.select().from(alerts).orderBy(desc(alerts.id)).limit(limit)
    },
  }
}
