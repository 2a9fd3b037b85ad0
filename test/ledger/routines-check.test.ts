import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { StepFailed } from '../../src/errors.ts'
import type { Check } from '../../src/forges/github/checks.ts'
import { createLog } from '../../src/log.ts'
import { createTeller } from '../../src/service/routines-check.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

const start = new Date('2026-11-21T16:00:00Z')
const check = (commit: string): Check => ({
  name: 'overnight/routines',
  commit,
  conclusion: 'success',
  title: '1 routine in force',
  summary: 'All is well.',
  annotations: [],
})

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('the check of the routines', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(async () => {
      await open.clear()
      await open.setClock(start)
    })
    const written: string[] = []
    const write = async ({ commit }: Check) => void written.push(commit)
    beforeEach(() => void written.splice(0))
    const log = createLog('silent')
    const server = (how: Parameters<typeof createTeller>[0]['write'] = write) =>
      createTeller({ ledger: open.ledger, log, write: how })

    test('is set by one of all servers, once a verdict, also after a start', async () => {
      const servers = [server(), server(), server()]
      await Promise.all(servers.map((one) => one.tell(check('a'))))
      await Promise.all(servers.map((one) => one.tell(check('b'))))
      for (const one of [...servers, server()]) await one.tell(check('b'))
      expect(written).toEqual(['a', 'b'])
    })

    test('that could not be set is tried again at the next look, by whoever looks, and said once', async () => {
      using warned = vi.spyOn(log, 'warn')
      const away = async () => {
        throw new StepFailed('forge_unavailable', 'GitHub is away', { retryable: true })
      }
      const first = server(away)
      for (const _ of [1, 2, 3]) await first.tell(check('a'))
      expect(warned).toHaveBeenCalledTimes(1)
      await server().tell(check('a'))
      await first.tell(check('a'))
      expect(written).toEqual(['a'])
    })

    test('waits for as long as GitHub says, whoever looks and whatever became of the next commit', async () => {
      const limited = new StepFailed('forge_unavailable', 'slow down', { retryable: true, retryAfterMs: 600_000 })
      await server(() => Promise.reject(limited)).tell(check('a'))
      await server().tell(check('a'))
      await server().tell(check('b'))
      expect(written).toEqual([])
      await open.setClock(new Date(start.getTime() + 601_000))
      await server().tell(check('b'))
      expect(written).toEqual(['b'])
    })

    test('that a killed server was at is set by another one, when it had its time', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const killed = server(() => promise)
      const hanging = killed.tell(check('a'))
      await vi.waitFor(async () => expect(await open.ledger.settings.find('routines.check')).toBeDefined())
      const other = server()
      await other.tell(check('a'))
      expect(written).toEqual([])
      await open.setClock(new Date(start.getTime() + 200_000))
      await other.tell(check('a'))
      expect(written).toEqual(['a'])
      resolve()
      await hanging
    })
  })
})
