import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sign } from '@octokit/webhooks-methods'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RoutinesJson } from '../../src/http/api/routines.ts'
import { until } from '../support/crew.ts'
import { startGitHub, type GitHubProcess } from '../support/github/process.ts'
import { openPostgresLedger, postgresNeed, type PostgresLedger } from '../support/open-ledger.ts'
import { openPlace, routineText, type Place } from '../support/place.ts'
import type { ServiceProcess } from '../support/service-process.ts'

const secret = 'what GitHub signs with'
const script = resolve(import.meta.dirname, '../faults/crashing-service.ts')

describe.skipIf(postgresNeed.skip)(`two servers, one ledger, one repository of routines${postgresNeed.note}`, () => {
  let place: Place
  let open: PostgresLedger
  let github: GitHubProcess
  let servers: [ServiceProcess, ServiceProcess]
  const crashAt = (index: number) => join(place.folder, `crash-at-${index}`)
  const start = (index: number) =>
    place.start({
      script,
      env: {
        ...github.env('app'),
        CRASH_AT: crashAt(index),
        DATABASE_URL: open.databaseUrl,
        OVERNIGHT_ROUTINES: 'acme/shop:night@main',
        OVERNIGHT_GITHUB_WEBHOOK_SECRET: secret,
      },
    })
  const on = { github: { event: 'star', allow: { users: ['acme'] } } }
  const push = (prompt: string) =>
    github.act('commit', 'acme/shop', 'main', {
      'night/tidy.md': routineText({ repository: 'acme/shop', more: { on }, prompt }),
    })
  beforeAll(async () => {
    place = await openPlace()
    const folder = join(place.folder, 'github')
    mkdirSync(folder)
    ;[open, github] = await Promise.all([openPostgresLedger(), startGitHub(folder)])
    await push('Zero')
    servers = [await start(0), await start(1)]
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
    await github[Symbol.asyncDispose]()
    await open[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })
  const look = (server: ServiceProcess) => server.post('/v1/routines/look')
  const commitAt = async (server: ServiceProcess) =>
    (await server.get<RoutinesJson>('/v1/routines')).routines.map(({ commit }) => commit)
  const checks = (commit: string) => github.act('checkRuns', 'acme/shop', commit)
  const deliver = async (server: ServiceProcess, event: string, guid: string, more: object) => {
    const repository = { id: 1, full_name: 'acme/shop', default_branch: 'main' }
    const body = JSON.stringify({ repository, sender: { login: 'acme', type: 'User', id: 2 }, ...more })
    const headers = {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': guid,
      'x-hub-signature-256': await sign(secret, body),
    }
    return (await fetch(`${server.url}/hooks/github`, { method: 'POST', headers, body })).status
  }
  const applied = async () => (await open.ledger.history.of('tidy', 50)).filter(({ act }) => act === 'apply').length

  test('one push is applied once, has one check, and both serve it', async () => {
    const before = await applied()
    const commit = await push('One')
    await Promise.all([
      ...servers.map(look),
      ...servers.map((server) => deliver(server, 'push', randomUUID(), { ref: 'refs/heads/main', commits: [] })),
    ])
    for (const server of servers)
      await until(20, async () => (await commitAt(server)).filter((found) => found !== commit))
    await until(20, async () => ((await checks(commit)).length === 1 ? [] : ['no check']))
    await Promise.all(servers.map(look))
    expect(await applied()).toBe(before + 1)
    expect(await checks(commit)).toMatchObject([{ conclusion: 'success', output: { title: '1 routine in force' } }])
  })

  test('the same delivery at both at once, forty times, is one firing', async () => {
    const guid = randomUUID()
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => deliver(servers[index % 2]!, 'star', guid, { action: 'created' })),
    )
    expect(new Set(answers)).toEqual(new Set([202]))
    const [delivery] = await open.ledger.occasions.deliveries({ event: 'star', limit: 9 })
    const look = async () => (await open.ledger.occasions.deliveries({ event: 'star', limit: 9 }))[0]
    await until(20, async () => [(await look())?.outcome].filter((outcome) => outcome !== 'fired'))
    expect((await look())!.firings).toHaveLength(1)
    expect(delivery?.key).toBe(guid)
    expect(
      (await open.rows<{ count: string }>('select count(*) from firings')).map(({ count }) => Number(count)),
    ).toEqual([1])
  })

  test('one is killed between reading a push and putting it in force: the other does, once', async () => {
    const before = await applied()
    writeFileSync(crashAt(0), 'routines_read')
    const commit = await push('Two')
    // The answer is cut off.
    await look(servers[0]).catch(() => {})
    expect((await servers[0].exit).signal).toBe('SIGKILL')
    await look(servers[1])
    expect(await commitAt(servers[1])).toEqual([commit])
    expect(await applied()).toBe(before + 1)
    servers[0] = await start(0)
    expect(await commitAt(servers[0])).toEqual([commit])
    await until(20, async () => ((await checks(commit)).length === 1 ? [] : ['no check']))
    await Promise.all(servers.map(look))
    expect([await applied(), (await checks(commit)).length]).toEqual([before + 1, 1])
    expect(github.lines().filter(({ kind }) => kind === 'violation')).toEqual([])
  })
})
