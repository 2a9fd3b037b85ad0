// A process that opens a store, touches many pages, goes idle and prints its resident memory in MB.
import { setTimeout as wait } from 'node:timers/promises'
import { keepYoungHeapSmall } from '../../src/young-heap.ts'

// As a long-lived process should, before it imports anything: else loading the modules leaves 100 MB of young generation behind.
keepYoungHeapSmall()
const { sql } = await import('drizzle-orm')
const { migrate } = await import('../../src/ledger/migrate.ts')
const { openStore } = await import('../../src/ledger/store.ts')

const store = await openStore({ ledger: process.argv[2]! })
await migrate(store)
await store.db.execute(
  sql`create table pages as select g as n, repeat('y', 3000) || g as filler from generate_series(1, 50000) g`,
)
for (let i = 0; i < 3; i++) await store.db.execute(sql`select sum(length(filler)) from pages`)
await wait(3000)
console.log(Math.round(process.memoryUsage().rss / 1e6))
await store.close()
