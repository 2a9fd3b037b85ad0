import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { sql } from '../../src/ledger/sql.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { SetupError } from '../../src/errors.ts'
import { migrate } from '../../src/ledger/migrate.ts'
import { deliveries, pulls } from '../../src/ledger/schema.ts'
import { openStore, type Database } from '../../src/ledger/store.ts'
import { putFreshLedger } from '../support/ledger-template.ts'
import { openTestStore, type TestStore } from '../support/test-store.ts'

const note = (db: Database, subject: string) =>
  db.execute(sql`insert into audit (actor, action, subject, data) values ('ada', 'noted', ${subject}, '{}')`)
const subjects = async (db: Database): Promise<string[]> =>
  (await db.execute<{ subject: string }>(sql`select subject from audit order by id`)).rows.map((row) => row.subject)

describe('a new ledger', () => {
  test('is made with its folders, migrated, closed and found again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'overnight-store-'))
    const ledger = join(folder, 'ein Ordner für Läufe', 'x'.repeat(150), 'ledger')
    try {
      const first = await openStore({ ledger })
      await migrate(first)
      await migrate(first)
      await note(first.db, 'kept')
      await first.close()
      const second = await openStore({ ledger })
      await migrate(second)
      expect(await subjects(second.db)).toEqual(['kept'])
      await second.close()
      await second.close()
      await expect(note(second.db, 'late')).rejects.toThrow()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('one whose making was interrupted is made again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'overnight-store-'))
    try {
      mkdirSync(join(folder, 'ledger.new', 'base'), { recursive: true })
      writeFileSync(join(folder, 'ledger.new', 'PG_VERSION'), '18\n')
      const store = await openStore({ ledger: join(folder, 'ledger') })
      await migrate(store)
      expect(await subjects(store.db)).toEqual([])
      await store.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('a broken ledger folder is one sentence and what to do', () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'overnight-broken-'))
    await putFreshLedger(join(folder, 'sound'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const cases: [string, (ledger: string) => void][] = [
    ['something else', (ledger) => rmSync(join(ledger, 'PG_VERSION'))],
    ['another version', (ledger) => writeFileSync(join(ledger, 'PG_VERSION'), '17\n')],
    ['garbage in the control file', (ledger) => writeFileSync(join(ledger, 'global/pg_control'), randomBytes(8192))],
    ['no control file', (ledger) => rmSync(join(ledger, 'global/pg_control'))],
    ['no log', (ledger) => rmSync(join(ledger, 'pg_wal'), { recursive: true })],
    ['no tables', (ledger) => rmSync(join(ledger, 'base'), { recursive: true })],
    ['garbage in the catalogue', (ledger) => writeFileSync(join(ledger, 'base/5/1259'), randomBytes(8192 * 14))],
    ['an empty catalogue', (ledger) => truncateSync(join(ledger, 'base/5/1259'))],
    [
      'a file instead of a folder',
      (ledger) => {
        rmSync(ledger, { recursive: true })
        writeFileSync(ledger, '')
      },
    ],
  ]
  test.each(cases)('%s', async (name, spoil) => {
    const ledger = join(folder, name.replaceAll(' ', '-'))
    execFileSync('cp', ['-a', join(folder, 'sound'), ledger])
    spoil(ledger)
    const error: unknown = await openStore({ ledger }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(SetupError)
    const { message, hint } = error as SetupError
    expect(message).toContain(ledger)
    expect(`${message} ${hint}`).not.toMatch(/\n|wasm|Aborted|at .*\.js/i)
    expect(hint).toMatch(/restore a backup|OVERNIGHT_DATA/)
  })
})

describe('an open ledger', () => {
  let opened: TestStore
  let db: Database
  beforeAll(async () => {
    opened = await openTestStore()
    db = opened.store.db
  })
  afterAll(async () => opened[Symbol.asyncDispose]())

  test('a transaction is all or nothing, and others wait for its end', async () => {
    const inside = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const failing = db.transaction(async (tx) => {
      await note(tx, 'undone')
      inside.resolve()
      await goOn.promise
      throw new Error('no')
    })
    await inside.promise
    const other = note(db, 'other')
    goOn.resolve()
    await expect(failing).rejects.toThrow('no')
    await other
    expect(await subjects(db)).toEqual(['other'])
  })

  test('a savepoint can be undone alone', async () => {
    await db.transaction(async (tx) => {
      await note(tx, 'outer')
      await tx
        .transaction(async (inner) => {
          await note(inner, 'inner')
          throw new Error('no')
        })
        .catch(() => {})
    })
    expect(await subjects(db)).toEqual(['other', 'outer'])
  })

  test('a BEGIN of the pool never shares a transaction with anybody', async () => {
    const client = await opened.store.pool.connect()
    const write = (subject: string) =>
      client.query(`insert into audit (actor, action, subject, data) values ('pool', 'noted', $1, '{}')`, [subject])
    await client.query('BEGIN')
    await write('rolled back')
    const ours = note(db, 'ours')
    const theirs = opened.store.pool.query(
      `insert into audit (actor, action, subject, data) values ('pool', 'noted', 'theirs', '{}')`,
    )
    await write('rolled back too')
    await client.query('ROLLBACK')
    await Promise.all([ours, theirs])
    await client.query('begin transaction;')
    await write('committed')
    await client.query('COMMIT')
    await client.query('BEGIN')
    await write('abandoned')
    client.release()
    expect((await subjects(db)).sort()).toEqual(['committed', 'other', 'ours', 'outer', 'theirs'])
  })

  test.each(['BEGIN', '-- why\ncommit', 'ROLLBACK;', 'listen here', 'start transaction'])(
    'the pool itself refuses %j',
    async (text) => {
      await expect(opened.store.pool.query(text)).rejects.toThrow('its own client')
    },
  )
  test('a BEGIN with options is refused rather than half understood', async () => {
    const client = await opened.store.pool.connect()
    await expect(client.query('BEGIN ISOLATION LEVEL SERIALIZABLE')).rejects.toThrow('does not take')
    await expect(client.query('BEGIN; select 1')).rejects.toThrow('does not take')
    client.release()
  })

  test('listeners hear commits only, until they stop', async () => {
    const heard: (string | undefined)[] = []
    const stop = await opened.store.listen('news', (payload) => heard.push(payload))
    await db.transaction(async (tx) => {
      await tx.execute(sql`select pg_notify('news', 'committed')`)
      expect(heard).toEqual([])
    })
    await db
      .transaction(async (tx) => {
        await tx.execute(sql`select pg_notify('news', 'undone')`)
        throw new Error('no')
      })
      .catch(() => {})
    await opened.store.notify('news', 'direct')
    await vi.waitFor(() => expect(heard).toEqual(['committed', 'direct']))
    await stop()
    await opened.store.notify('news', 'unheard')
    await db.execute(sql`select 1`)
    expect(heard).toEqual(['committed', 'direct'])
  })

  test('the clock runs, tests move it, and an index can be searched by it', async () => {
    const read = async () =>
      new Date((await db.execute<{ at: string }>(sql`select clock() as at`)).rows[0]!.at).getTime()
    expect(Math.abs((await read()) - Date.now())).toBeLessThan(5000)
    await db.execute(sql`update clock_offset set ahead = '2 hours'`)
    expect((await read()) - Date.now()).toBeGreaterThan(7_100_000)
    await db.execute(sql`update clock_offset set ahead = '0'`)
    await db.execute(sql`set enable_seqscan = off`)
    const plan = await db.execute<{ 'QUERY PLAN': string }>(
      sql`explain select * from schedules where next_fire_at <= clock()`,
    )
    expect(JSON.stringify(plan.rows)).toMatch(/schedules_due.*Index Cond/s)
    await db.execute(sql`set enable_seqscan = on`)
  })

  test('bytes come back as they went, 16 MB within seconds', async () => {
    const pack = randomBytes(16 * 1024 * 1024)
    const started = Date.now()
    await db.insert(deliveries).values({ id: 'r1', source: 's', key: 'k', event: 'e', headers: {}, body: pack })
    const [row] = await db.select().from(deliveries)
    expect(pack.equals(row!.body)).toBe(true)
    expect(Date.now() - started).toBeLessThan(5000)
  })

  test('unique indexes hold: one open pull request a branch', async () => {
    const pull = {
      repository: 'r',
      branch: 'b',
      base: 'main',
      head: 'h',
      title: '',
      body: '',
      draft: true,
      labels: [],
      routine: 'x',
      subject: 'main',
      run: 'r1',
    }
    await db.insert(pulls).values({ id: '1', number: 1, ...pull })
    await expect(db.insert(pulls).values({ id: '2', number: 2, ...pull })).rejects.toThrow()
  })

  test('a ledger that a newer version wrote is refused', async () => {
    await db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 32503680000000)`)
    await expect(migrate(opened.store)).rejects.toThrow('newer version')
  })
})
