// Prints how many rows of `acked` a ledger has.
import { sql } from '../../src/ledger/sql.ts'
import { openStore } from '../../src/ledger/store.ts'

const store = await openStore({ ledger: process.argv[2]! })
console.log((await store.db.execute<{ n: string }>(sql`select count(*) as n from acked`)).rows[0]!.n)
await store.close()
