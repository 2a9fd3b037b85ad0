import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SourcesJson } from '../../src/http/api/sources.ts'
import { openApp } from '../support/app.ts'
import { openPlace } from '../support/place.ts'

test('the last good version of a broken source is in force after a restart, too', async () => {
  using place = await openPlace()
  const file = join(place.folder, 'webhooks', 'orders.yaml')
  mkdirSync(join(place.folder, 'webhooks'))
  writeFileSync(file, 'verify: bearer\nsecret: secret:ORDERS\n')
  const env = { OVERNIGHT_SECRET_ORDERS: 'a-secret-of-sixteen-or-more' }
  /** What is in force at a start, and what a sender is answered. */
  async function started() {
    await using app = await openApp(place, env)
    const { sources, problems } = (await app.ask('/v1/sources')).json as SourcesJson
    const headers = { authorization: `Bearer ${env.OVERNIGHT_SECRET_ORDERS}` }
    const { status } = await app.ask('/hooks/orders', { method: 'POST', body: { id: 1 }, headers })
    return { sources: sources.map(({ source, broken }) => `${source} ${broken}`), status, problems: problems.length }
  }
  expect(await started()).toEqual({ sources: ['orders false'], status: 202, problems: 0 })
  writeFileSync(file, 'verify: nobody\n')
  expect(await started()).toEqual({ sources: ['orders true'], status: 202, problems: 1 })
  rmSync(file)
  expect(await started()).toEqual({ sources: [], status: 404, problems: 0 })
})
