import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sign } from '@octokit/webhooks-methods'
import { sql } from '../../src/ledger/sql.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DeliveryWholeJson } from '../../src/http/api/occasion-json.ts'
import { deliverySteps } from '../../src/triggers/delivery-steps.ts'
import { until } from '../support/crew.ts'
import { freePort } from '../support/free-port.ts'
import { openPlace, type Place } from '../support/place.ts'
import type { ServiceProcess } from '../support/service-process.ts'

const secret = 'what GitHub signs with'
const script = resolve(import.meta.dirname, 'crashing-service.ts')
let place: Place
let service: ServiceProcess
let crashAt: string
let env: Record<string, string>
beforeAll(async () => {
  place = await openPlace()
  crashAt = join(place.folder, 'crash-at')
  // Nobody has to be asked about this sender, so that no forge is needed; what becomes of the run is another matter.
  const on = { github: { event: 'star', allow: { users: ['acme'] } } }
  place.routine('counted', { more: { repository: 'acme/shop', on, overlap: 'queue_all' } })
  env = {
    CRASH_AT: crashAt,
    OVERNIGHT_GITHUB_WEBHOOK_SECRET: secret,
    OVERNIGHT_GITHUB_URL: `http://127.0.0.1:${await freePort()}`,
  }
  service = await place.start({ script, env })
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const body = JSON.stringify({
  action: 'created',
  repository: { id: 1, full_name: 'acme/shop' },
  sender: { login: 'acme', type: 'User', id: 2 },
})
/** What it is called here; undefined when the answer was cut off. */
async function deliver(guid: string): Promise<string | undefined> {
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'star',
    'x-github-delivery': guid,
    'x-hub-signature-256': await sign(secret, body),
  }
  const answer = await fetch(`${service.url}/hooks/github`, { method: 'POST', headers, body }).catch(() => undefined)
  return answer && ((await answer.json()) as { delivery: string }).delivery
}

test.each(deliverySteps)('killed at %s: after the next start exactly one firing', async (step) => {
  const guid = randomUUID()
  writeFileSync(crashAt, step)
  await deliver(guid)
  expect((await service.exit).signal).toBe('SIGKILL')
  rmSync(crashAt, { force: true })
  // Who had claimed it is silent for half a minute before others take it.
  const kept = await place.withLedger(async (ledger, store) => {
    await store.db.execute(sql`update clock_offset set ahead = ahead + interval '31 seconds'`)
    return ledger.occasions.deliveries({ limit: 100 })
  })
  const mine = kept.find(({ key }) => key === guid)
  expect([mine?.outcome ?? null, mine?.firings.length]).toEqual(step === 'delivery_settled' ? ['fired', 1] : [null, 0])
  service = await place.start({ script, env })
  // GitHub sends again what it heard no answer to; here also what was answered.
  const delivery = (await deliver(guid))!
  const look = () => service.get<DeliveryWholeJson>(`/v1/deliveries/${delivery}`)
  await until(20, async () => [(await look()).outcome].filter((outcome) => outcome !== 'fired'))
  expect((await look()).firings).toMatchObject([{ routine: 'counted', run: expect.any(String) }])
  const { runs } = await service.get<{ runs: { run: string }[] }>('/v1/runs?limit=100')
  expect(runs.length).toBe(deliverySteps.indexOf(step) + 1)
})
