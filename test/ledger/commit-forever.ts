// A process that commits numbered rows, one after another, and prints each number once its commit was acknowledged.
import { writeSync } from 'node:fs'
import { sql } from '../../src/ledger/sql.ts'
import { openStore } from '../../src/ledger/store.ts'

const store = await openStore({ ledger: process.argv[2]! })
await store.db.execute(sql`create table if not exists acked (n bigserial primary key, note text not null)`)
for (;;) {
  const added = await store.db.transaction((tx) =>
    tx.execute<{ n: number }>(sql`insert into acked (note) values (repeat('x', 300)) returning n`),
  )
  writeSync(1, `${added.rows[0]!.n}\n`)
}
