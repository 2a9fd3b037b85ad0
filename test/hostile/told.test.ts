import { sql } from '../../src/ledger/sql.ts'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { git } from '../support/git-repository.ts'
import { startGitHub, type GitHubProcess } from '../support/github/process.ts'
import { openPlace, type Place } from '../support/place.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'
import { filesWithSecret } from './secret-forms.ts'

// An operator left secrets where the agent finds them, and it tells them in every way: none is in anything that is kept or sent. As they
// are, in JSON, URLs, hexadecimal and base64, that is: other encodings are not found, which is why an agent is given none.
const deploy = 'kx Zq7/Lw9+mT4?vR2"pY8'
const signing = 'first line of a key\nqW8-zX4vB7nM2kL9-pT6\nlast line of a key'
const kinds = ['talks', 'writes', 'fails'] as const

describe('a program that tells what it came by, in every form that is looked for', () => {
  let place: Place
  let github: GitHubProcess
  let receiver: Receiver
  let service: ServiceProcess
  const ended = new Map<string, Awaited<ReturnType<typeof untilSettled>>>()
  const secrets: string[] = []
  let pages = ''

  beforeAll(async () => {
    place = await openPlace()
    receiver = await openReceiver()
    const folder = join(place.folder, 'github')
    mkdirSync(folder)
    github = await startGitHub(folder)
    const env = github.env('token')
    secrets.push(deploy, signing, env['OVERNIGHT_GITHUB_TOKEN'] ?? '')
    const loot = join(place.folder, 'loot.json')
    writeFileSync(loot, JSON.stringify({ secrets, files: Object.assign({}, ...secrets.map(filesNamed)) as object }))
    for (const kind of kinds) {
      const command = ['node', join(import.meta.dirname, 'agent/tell.mjs'), loot, kind]
      place.routine(kind, {
        more: { repository: 'acme/shop', on: { api: true }, engine: { name: 'command', command } },
      })
    }
    const named = { OVERNIGHT_SECRET_DEPLOY: deploy, OVERNIGHT_SECRET_SIGNING: signing }
    const around = { OVERNIGHT_ALLOW_HOSTS: receiver.host, OVERNIGHT_LOG: 'debug' }
    service = await place.start({ env: { ...env, ...named, ...around } })
    for (const kind of kinds) {
      const body = { callback: { url: receiver.url(`/${kind}`) } }
      const { run } = await service.post<{ run: string }>(`/v1/routines/${kind}/fire`, body)
      ended.set(kind, await untilSettled(service, run))
      if (kind === 'writes') pages += await (await service.fetch(`/v1/runs/${run}/diff`)).text()
      if (kind === 'writes') await service.fetch(`/v1/runs/${run}/deny`, { method: 'POST' })
      await receiver.post(`/${kind}`)
      for (const path of [
        `/runs/${run}`,
        `/v1/runs/${run}`,
        `/v1/runs/${run}/events?follow=no`,
        `/v1/runs/${run}/prompt`,
      ])
        pages += await (await service.fetch(path)).text()
    }
    await service[Symbol.asyncDispose]()
  }, 120_000)
  afterAll(async () => {
    await service?.[Symbol.asyncDispose]()
    await github?.[Symbol.asyncDispose]()
    await receiver?.[Symbol.asyncDispose]()
    place?.[Symbol.dispose]()
  })

  /** Which secrets are told in this, and how. */
  const toldIn = (text: string) => secrets.flatMap((secret) => formsIn(text, secret))

  test('is found where it does: what it was given to tell holds every form of each', () => {
    const loot = readFileSync(join(place.folder, 'loot.json'), 'utf8')
    expect(new Set(toldIn(Object.values((JSON.parse(loot) as { files: object }).files).join('\n')))).toEqual(
      new Set(
        secrets.flatMap((secret) => Object.keys(formsOf(secret)).map((form) => `${form} of ${secret.slice(0, 8)}`)),
      ),
    )
    expect([...ended.values()].map(({ state, reason }) => ({ state, reason }))).toEqual([
      { state: 'published', reason: null },
      { state: 'needs_approval', reason: 'policy' },
      { state: 'failed', reason: 'agent_exit' },
    ])
  })

  test('is told nowhere in the data folder: transcripts, prompts, mirrors, the files of the store', () => {
    const files = readdirSync(place.data, { recursive: true, encoding: 'utf8' }).map((name) => join(place.data, name))
    const kept = files.filter((path) => statSync(path).isFile())
    expect(kept.length).toBeGreaterThan(50)
    expect(kept.filter((path) => toldIn(readFileSync(path, 'latin1')).length > 0)).toEqual([])
  })

  test('is told in no row of the ledger and its queue', async () => {
    const rows = await place.withLedger(async (_, store) => {
      const tables = await store.db.execute<{ name: string }>(
        sql`select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
          where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
      )
      const all = await Promise.all(
        tables.rows.map(({ name }) =>
          store.db.execute<{ row: unknown }>(sql`select to_jsonb(t) as row from ${sql.raw(name)} t`),
        ),
      )
      return all.flatMap((answer) => answer.rows.map(({ row }) => JSON.stringify(row)))
    })
    expect(rows.length).toBeGreaterThan(20)
    expect(rows.filter((row) => toldIn(row).length > 0)).toEqual([])
    expect(rows.join()).toContain('[secret DEPLOY]')
  })

  test('is told in no line of the log, on no page, in no answer, in no diff', () => {
    expect(service.log()).toContain('"msg"')
    expect(toldIn(service.log())).toEqual([])
    expect(pages).toContain('[secret DEPLOY]')
    expect(toldIn(pages)).toEqual([])
  })

  test('is told to no receiver of callbacks', () => {
    const posts = kinds.flatMap((kind) => receiver.posts(`/${kind}`))
    expect(posts).toHaveLength(kinds.length)
    expect(toldIn(JSON.stringify(posts))).toEqual([])
  })

  test('is told to no forge: pull requests, commits and every object that was pushed', async () => {
    const pulls = await github.act('pulls', 'acme/shop')
    expect(pulls).toHaveLength(1)
    expect(pulls[0]?.title).toBe('The key was [secret DEPLOY] all along')
    const bare = github.repositories['acme/shop']!
    const objects = git(bare, 'cat-file', '--batch-all-objects', '--batch')
    expect(objects).toContain('Nothing is told in here.')
    const bodies = github.lines().map((line) => JSON.stringify(line))
    expect(bodies.length).toBeGreaterThan(3)
    expect(toldIn([JSON.stringify(pulls), objects, git(bare, 'for-each-ref'), ...bodies].join('\n'))).toEqual([])
  })
})

/** So that those of one secret do not replace those of another. */
function filesNamed(secret: string, index: number): Record<string, string> {
  const files = Object.entries(filesWithSecret(secret)).filter(([name]) => name.length < 200)
  return Object.fromEntries(files.map(([name, text]) => [`${index}-${name}`, text ?? '']))
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
    return whole.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6))
  })
  return {
    plain: secret,
    hex: bytes.toString('hex'),
    'in a URL': encodeURIComponent(secret),
    'in JSON': inJson(secret),
    'in JSON in JSON': inJson(inJson(secret)),
    'base64, 0': base64[0] ?? '',
    'base64, 1': base64[1] ?? '',
    'base64, 2': base64[2] ?? '',
  }
}

/** Line ends do not hide it, neither as they are nor as JSON has them; nor do large letters. */
function formsIn(text: string, secret: string): string[] {
  const plain = (written: string) => written.replaceAll(/\r|\n|\\n/g, '').toLowerCase()
  const all = plain(text)
  const forms = Object.entries(formsOf(secret)).filter(([, form]) => all.includes(plain(form)))
  return forms.map(([form]) => `${form} of ${secret.slice(0, 8)}`)
}
