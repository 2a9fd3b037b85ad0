// A process whose ledger's disk fills up. Usage: fill-disk.ts <folder of a small file system> slowly|inside. One JSON line at the end.
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from '../../src/ledger/sql.ts'
import { OvernightError } from '../../src/errors.ts'
import { openStore, type Database } from '../../src/ledger/store.ts'

const [folder = '', how] = process.argv.slice(2)
const ledger = join(folder, 'ledger')
const store = await openStore({ ledger })
await store.db.execute(sql`create table acked (n integer primary key, filler text)`)
let acked = 0
const write = async (db: Database, n: number) => {
  await db.execute(sql`insert into acked values (${n}, ${randomBytes(20_000).toString('hex')})`)
}
const add = () => store.db.transaction((tx) => write(tx, acked + 1)).then(() => acked++)
const errorOf = (act: Promise<unknown>) =>
  act.then(
    () => 'none',
    (error: unknown) => (error instanceof OvernightError ? `${error.code} ${error.status}` : String(error)),
  )
const countRows = async () =>
  Number((await store.db.execute<{ n: string }>(sql`select count(*) as n from acked`)).rows[0]!.n)

function fillUp(): void {
  for (let size = 1 << 20; size >= 4096; size /= 2) {
    for (;;) {
      try {
        writeFileSync(join(folder, 'fill', String(Math.random())), Buffer.alloc(size))
      } catch {
        break
      }
    }
  }
}

const told: Record<string, unknown> = {}
if (how === 'slowly') {
  for (let i = 0; i < 20_000; i++) {
    told['refused'] = await errorOf(add())
    if (told['refused'] !== 'none') break
  }
  told['readable'] = (await countRows()) === acked
  rmSync(join(folder, 'fill'), { recursive: true })
  told['afterwards'] = await errorOf(add())
} else {
  await add()
  told['refused'] = await errorOf(
    store.db.transaction(async (tx) => {
      fillUp()
      // The log alone, so that it is the log that finds no room: for the server that is the end.
      for (let n = 0; n < 3000; n++)
        await tx.execute(sql`select pg_logical_emit_message(true, 'noise', ${randomBytes(10_000).toString('hex')})`)
    }),
  )
  told['next'] = await errorOf(add())
}
await store.close()
rmSync(join(folder, 'fill'), { recursive: true, force: true })
console.log(JSON.stringify({ ...told, acked }))
