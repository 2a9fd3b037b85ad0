import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createLedger } from '../../src/ledger/ledger.ts'
import { createLog } from '../../src/log.ts'
import { createGuardedFetch } from '../../src/outgoing/guarded-fetch.ts'
import { readSource } from '../../src/routines/webhooks/read-source.ts'
import type { WebhookSource } from '../../src/routines/webhooks/source.ts'
import { createPoller, pollKey } from '../../src/triggers/poll/poller.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

const start = new Date('2026-11-21T16:00:00Z')

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('a source that is asked', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(async () => {
      await open.clear()
      await open.setClock(start)
    })

    /** A place that lists jobs, and pollers on it. A minute here is a second longer: the clock goes on while a look takes place. */
    async function place(options: { poll?: string; allowed?: boolean } = {}) {
      const state = {
        answer: (() => {}) as RequestListener,
        asked: [] as Record<string, unknown>[],
        told: 0,
        minute: 0,
      }
      const server = createServer((request, response) => {
        state.asked.push({ path: request.url, ...request.headers })
        state.answer(request, response)
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
      const text = `poll: { url: "http://${host}/jobs", every: 1m, headers: { Authorization: "Bearer secret:KEY" }${options.poll ?? ''} }`
      const read = readSource('/w/jobs.yaml', text)
      if ('problems' in read) throw new Error(JSON.stringify(read.problems))
      const pollerOf = (source: WebhookSource = read.defined, ledger = open.ledger) => {
        const poller = createPoller({
          ledger,
          sources: () => [source],
          fillSecrets: (value) => Promise.resolve(value.replace('secret:KEY', 'hush')),
          fetch: createGuardedFetch({ allowedHosts: options.allowed === false ? [] : [host] }),
          received: () => (state.told += 1),
          log: createLog('silent'),
        })
        onTestFinished(() => poller[Symbol.asyncDispose]())
        return poller
      }
      onTestFinished(() => {
        server.close()
        server.closeAllConnections()
      })
      const poller = pollerOf()
      const lists = (...ids: unknown[]) => {
        state.answer = (_request, response) => void response.end(JSON.stringify(ids.map((id) => ({ id }))))
      }
      const look = async (minutes = 1) => {
        state.minute += minutes
        await open.setClock(new Date(start.getTime() + state.minute * 61_000))
        await poller.tick()
        await poller.idle()
      }
      const deliveries = async () =>
        (await open.rows<{ key: string; outcome: string | null }>('select key, outcome from deliveries'))
          .map(({ key, outcome }) => `${key} ${outcome ?? 'owed'}`)
          .sort()
      const row = async () => (await open.ledger.polls.list([pollKey(read.defined)]))[0]!
      return { state, source: read.defined, poller, pollerOf, lists, look, deliveries, row, host }
    }

    test('the first look only learns what is there; what comes later is news, once', async () => {
      const { state, lists, look, deliveries, row } = await place()
      lists('a', 'b')
      await look()
      expect(await deliveries()).toEqual(['a skipped', 'b skipped'])
      expect(state.told).toBe(0)
      lists('b', 'c', 7, '7')
      await look()
      expect(await deliveries()).toEqual(['7 owed', 'a skipped', 'b skipped', 'c owed'])
      lists('a', 'c')
      await look()
      expect(await deliveries()).toHaveLength(4)
      expect(state.asked).toHaveLength(3)
      expect(state.asked[0]).toMatchObject({ path: '/jobs', authorization: 'Bearer hush', accept: 'application/json' })
      expect(await row()).toMatchObject({ hasBaseline: true, failures: 0, error: null })
    })

    test('an empty first look is one, too', async () => {
      const { lists, look, deliveries } = await place()
      lists()
      await look()
      lists('a')
      await look()
      expect(await deliveries()).toEqual(['a owed'])
    })

    test('what did not change is not sent again', async () => {
      const { state, look, deliveries, row } = await place()
      const tags = { etag: 'W/"v1"', 'last-modified': 'Sat, 21 Nov 2026 10:00:00 GMT' }
      state.answer = (request, response) => {
        if (request.headers['if-none-match'] === tags.etag) response.writeHead(304).end()
        else response.writeHead(200, tags).end('[{"id":"a"}]')
      }
      await look()
      await look()
      expect(state.asked[1]).toMatchObject({
        'if-none-match': tags.etag,
        'if-modified-since': tags['last-modified'],
      })
      expect(await deliveries()).toEqual(['a skipped'])
      expect(await row()).toMatchObject({ etag: tags.etag, failures: 0 })
    })

    const broken: [what: string, answer: (response: ServerResponse) => void, says: RegExp][] = [
      ['down', (response) => response.destroy(), /gave no answer: ECONNRESET/],
      ['an error', (response) => response.writeHead(500).end('[]'), /^it answered 500$/],
      ['signed out', (response) => response.writeHead(401).end(), /^it answered 401$/],
      ['not JSON', (response) => response.end('<html>'), /it is not JSON/],
      ['11 MB', (response) => response.end(Buffer.alloc(11 * 1024 ** 2, ' ')), /larger than 10 MB/],
      ['a redirect to a private address', redirect('http://127.0.0.2/'), /sends us on to another host/],
      ['a redirect in a circle', redirect('/jobs'), /^it answered 302$/],
      ['no such path', (response) => response.end('{"jobs":{}}'), /there is no list/],
      ['no ids', (response) => response.end('[{"name":"a"}]'), /1 of 1 items have no text or number/],
    ]
    test('a source that fails is asked ever less often, says why, and loses nothing', async () => {
      const { state, lists, look, deliveries, row } = await place()
      lists('a')
      await look()
      let failures = 0
      for (const [, answer, says] of broken) {
        state.answer = (_request, response) => answer(response)
        await look(60)
        failures += 1
        expect(await row()).toMatchObject({ failures, error: expect.stringMatching(says) as string, hasBaseline: true })
      }
      const { nextAt } = await row()
      expect(nextAt.getTime()).toBeGreaterThan(start.getTime() + state.minute * 61_000 + 50 * 60_000)
      const asked = state.asked.length
      await look(5)
      expect(state.asked).toHaveLength(asked)
      lists('a', 'b')
      await look(60)
      expect(await deliveries()).toEqual(['a skipped', 'b owed'])
      expect(await row()).toMatchObject({ failures: 0, error: null })
    })
    function redirect(location: string) {
      return (response: ServerResponse) => void response.writeHead(302, { location }).end()
    }

    test('one that asks for patience gets it, over a start, too', async () => {
      const { state, source, pollerOf, look, row } = await place()
      state.answer = (_request, response) => void response.writeHead(429, { 'retry-after': '1800' }).end()
      await look()
      const { nextAt } = await row()
      expect(nextAt.getTime()).toBeGreaterThanOrEqual(start.getTime() + 30 * 60_000)
      await pollerOf().tick()
      await pollerOf({ ...source, poll: { ...source.poll!, everyMs: 30_000 } }).tick()
      expect((await row()).nextAt).toEqual(nextAt)
    })

    test('an address that must not be asked is not asked', async () => {
      const { state, look, row } = await place({ allowed: false })
      await look()
      expect(state.asked).toEqual([])
      expect(await row()).toMatchObject({
        failures: 1,
        error: expect.stringMatching(/would be asked in the open – write https:.* in OVERNIGHT_ALLOW_HOSTS/) as string,
      })
    })

    test('twenty pollers at once: one look', async () => {
      const { state, lists, pollerOf } = await place()
      lists('a')
      const pollers = Array.from({ length: 20 }, () => pollerOf())
      await Promise.all(pollers.map((poller) => poller.tick()))
      await Promise.all(pollers.map((poller) => poller.idle()))
      expect(state.asked).toHaveLength(1)
    })

    test('one that is still being asked is not asked again; stopping does not wait for it', async () => {
      const { state, source, poller, pollerOf, row } = await place()
      const asked = Promise.withResolvers<void>()
      state.answer = () => asked.resolve()
      await poller.tick()
      await asked.promise
      await open.setClock(new Date(start.getTime() + 3_600_000))
      await poller.tick()
      expect(state.asked).toHaveLength(1)
      await poller[Symbol.asyncDispose]()
      expect(await row()).toMatchObject({ failures: 0, error: null, hasBaseline: false })
      const often = pollerOf({ ...source, poll: { ...source.poll!, everyMs: 30_000 } })
      state.answer = (_request, response) => void response.end('[]')
      await often.tick()
      await often.idle()
      expect(await row()).toMatchObject({ hasBaseline: true })
    })

    test('a first look that is not wholly on record is a first look again', async () => {
      const { lists, pollerOf, deliveries, row } = await place()
      lists('a', 'b')
      const ledger = createLedger(open.store)
      const torn = pollerOf(undefined, {
        ...ledger,
        transaction: (act) =>
          ledger.transaction(async (tx) => {
            await act(tx)
            throw new Error('the power went')
          }),
      })
      await torn.tick()
      await torn.idle()
      expect(await deliveries()).toEqual([])
      expect(await row()).toMatchObject({ hasBaseline: false })
    })
  })
})
