import { createServer } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import pg from 'pg'
import { SetupError } from '../../src/errors.ts'
import { createLedger } from '../../src/ledger/ledger.ts'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore } from '../../src/ledger/store.ts'
import { postgresNeed } from '../support/open-ledger.ts'
import { startPostgres, type Postgres } from '../support/postgres.ts'

type Line = { text: string; error?: string }
function listeningLog() {
  const lines: Line[] = []
  const hear = (facts: object | string, text?: string) => {
    lines.push(typeof facts === 'string' ? { text: facts } : { ...facts, text: text ?? '' })
  }
  return { lines, log: { warn: hear, info: hear } }
}
const open = (databaseUrl: string, patienceMs = 0) => openStore({ databaseUrl, log: listeningLog().log, patienceMs })
async function refusal(databaseUrl: string, patienceMs?: number): Promise<SetupError> {
  const error: unknown = await open(databaseUrl, patienceMs).then(
    () => new Error('it was opened'),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(SetupError)
  return error as SetupError
}

describe.skipIf(postgresNeed.skip)(`starting on a PostgreSQL${postgresNeed.note}`, () => {
  let postgres: Postgres
  beforeAll(async () => {
    postgres = await startPostgres()
    await postgres.ask(`create role limited login`)
    await postgres.ask(`create role reader login`)
    await postgres.ask(`alter role reader set default_transaction_read_only = on`)
    await postgres.ask(`create role odd login superuser`)
    const odd = [
      'datestyle = german',
      `timezone = 'Asia/Kolkata'`,
      'synchronous_commit = off',
      'intervalstyle = iso_8601',
    ]
    for (const setting of odd) await postgres.ask(`alter role odd set ${setting}`)
    await postgres.ask(`alter role odd set default_transaction_isolation = 'serializable'`)
  })
  afterAll(() => postgres[Symbol.asyncDispose]())

  test('that does not have the database says its address without the password, and what to do', async () => {
    const error = await refusal(postgres.urlOf('nowhere').replace('overnight@', 'overnight:secret@'), 60_000)
    expect(error.message).toContain(`127.0.0.1:${postgres.port}, database nowhere, user overnight`)
    expect(error.message).not.toContain('secret')
    expect(error.hint).toContain('createdb')
  })

  test('that does not know the user is refused at once', async () => {
    const error = await refusal(postgres.urlOf('postgres', 'stranger'), 60_000)
    expect([error.message, error.hint]).toEqual([
      expect.stringContaining('role "stranger" does not exist'),
      expect.stringContaining('user and password'),
    ])
  })

  test('that is read-only for us is refused at once', async () => {
    const error = await refusal(postgres.urlOf('postgres', 'reader'), 60_000)
    expect([error.message, error.hint]).toEqual([
      expect.stringContaining('read-only'),
      expect.stringContaining('the primary'),
    ])
  })

  test('whose server speaks no TLS, where TLS is asked for, is refused at once', async () => {
    const error = await refusal(`${postgres.urlOf('postgres')}?sslmode=require`, 60_000)
    expect(error.hint).toContain('sslmode')
  })

  test('where the user may not make tables is said by the migration', async () => {
    const { name } = await postgres.createDatabase()
    const store = await open(postgres.urlOf(name, 'limited'))
    const error: unknown = await migrate(store).catch((error: unknown) => error)
    await store.close()
    expect(error).toBeInstanceOf(SetupError)
    expect((error as SetupError).message).toContain('permission denied')
    expect((error as SetupError).hint).toContain('owner')
  })

  test('that is too old is refused at once', async () => {
    const old = createServer(
      (socket) => void socket.on('error', () => {}).on('data', (data) => socket.write(answerAs('12.4', data))),
    ).listen(0, '127.0.0.1')
    await once(old, 'listening')
    const address = old.address()
    const error = await refusal(`postgres://me@127.0.0.1:${typeof address === 'object' ? address?.port : 0}/x`, 60_000)
    old.close()
    expect([error.message, error.hint]).toEqual([
      expect.stringContaining('version 12'),
      expect.stringContaining('PostgreSQL 13'),
    ])
  })

  test('that is not there is asked until it is, and told about', async () => {
    const { url } = await postgres.createDatabase()
    await postgres.stop('fast')
    const { lines, log } = listeningLog()
    const opening = openStore({ databaseUrl: url, log, patienceMs: 60_000 })
    await expect.poll(() => lines.length).toBeGreaterThan(0)
    expect(lines[0]!.text).toContain(`waiting for the PostgreSQL at 127.0.0.1:${postgres.port}`)
    await postgres.start()
    const store = await opening
    await store.close()
    expect(lines.length).toBe(1)
  })

  test('that stays away is a sentence after its time, and a silent one, too', async () => {
    await postgres.stop('fast')
    const error = await refusal(postgres.urlOf('postgres'))
    expect([error.message, error.hint]).toEqual([
      expect.stringContaining('ECONNREFUSED'),
      expect.stringContaining('start it, or correct DATABASE_URL'),
    ])
    await postgres.start()
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const address = silent.address()
    const said = await refusal(`postgres://me@127.0.0.1:${typeof address === 'object' ? address?.port : 0}/x`)
    silent.close()
    expect(said.message).toContain('timeout')
  })

  test('answers as the embedded store does, whatever the operator’s role is set to', async () => {
    const { name, url } = await postgres.createDatabase()
    const store = await open(postgres.urlOf(name, 'odd'))
    await migrate(store)
    const ledger = createLedger(store)
    expect(Math.abs((await ledger.now()).getTime() - Date.now())).toBeLessThan(5000)
    await ledger.workers.announce({ id: 'a', host: 'here', pid: 1, slots: 2 })
    const [worker] = await ledger.workers.live(30_000)
    expect(Math.abs(worker!.seenAt.getTime() - Date.now())).toBeLessThan(5000)
    const settings = await ledger.transaction(async () =>
      store.db.execute<{ name: string; setting: string }>(
        `select name, setting from pg_settings where name in ('synchronous_commit', 'transaction_isolation') order by name`,
      ),
    )
    expect(settings.rows.map((row) => row.setting)).toEqual(['on', 'read committed'])
    await store.close()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    expect((await client.query('select count(*)::int as n from workers')).rows).toEqual([{ n: 1 }])
    await client.end()
  })
})

/** The few words of the protocol that a client needs to learn a version. https://www.postgresql.org/docs/current/protocol-flow.html */
function answerAs(version: string, asked: Buffer): Buffer {
  const message = (kind: string, ...parts: (Buffer | string)[]) => {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length + 4)
    return Buffer.concat([Buffer.from(kind), size, body])
  }
  const ready = message('Z', 'I')
  const isQuery = asked[0] === 'Q'.charCodeAt(0)
  if (!isQuery)
    return Buffer.concat([message('R', Buffer.alloc(4)), message('S', `server_version\0${version}\0`), ready])
  const names = ['version', 'standby', 'readonly', 'fsync']
  const values = ['120004', 'f', 'off', 'on']
  const count = Buffer.from([0, names.length])
  const columns = names.map((name) =>
    Buffer.concat([
      Buffer.from(`${name}\0`),
      Buffer.alloc(6),
      Buffer.from([0, 0, 0, 25]),
      Buffer.from([255, 255, 255, 255, 255, 255, 0, 0]),
    ]),
  )
  const fields = values.map((value) => Buffer.concat([Buffer.from([0, 0, 0, value.length]), Buffer.from(value)]))
  return Buffer.concat([
    message('T', count, ...columns),
    message('D', count, ...fields),
    message('C', 'SELECT 1\0'),
    ready,
  ])
}
