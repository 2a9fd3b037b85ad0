import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSeal } from '../../src/secrets/seal.ts'
import { createSecretStore, type SecretStore } from '../../src/secrets/store.ts'
import { nobody } from '../../src/secrets/secret-source.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('stored secrets', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const storeWith = (key: string): SecretStore =>
      createSecretStore({ sealed: open.ledger.sealed, seal: async () => createSeal(key.repeat(32)) })
    async function put(
      name: string,
      value: string,
      scope: { routine?: string; repository?: string; hosts?: string[] } = {},
    ) {
      const bound = { name, routine: '', repository: '', hosts: [], ...scope }
      await open.ledger.sealed.put({ ...bound, sealed: await storeWith('k').seal(value, bound), by: 'test' })
    }
    const asker = (routine: string, repository = 'acme/shop') => ({ routine, repository })

    test('the one that says most of who asks is given; others hear whose it is', async () => {
      await put('A', 'for a in shop', { routine: 'a', repository: 'acme/shop' })
      await put('A', 'for a', { routine: 'a' })
      await put('B', 'for b', { routine: 'b', hosts: ['b.example'] })
      await put('C', 'for all')
      await put('C', 'for the shop', { repository: 'acme/shop' })
      const store = storeWith('k')
      expect(await store.find('A', asker('a'))).toEqual({ value: 'for a in shop', hosts: [] })
      expect(await store.find('A', asker('a', 'ACME/Shop'))).toEqual({ value: 'for a in shop', hosts: [] })
      expect(await store.find('A', asker('a', 'acme/other'))).toEqual({ value: 'for a', hosts: [] })
      expect(await store.find('C', asker('x'))).toEqual({ value: 'for the shop', hosts: [] })
      expect(await store.find('C', nobody)).toEqual({ value: 'for all', hosts: [] })
      const whose = 'it is stored for the routine a in the repository acme/shop; the routine a alone'
      expect(await store.find('A', asker('b'))).toEqual({ missing: whose })
      expect(await store.find('B', nobody)).toEqual({ missing: 'it is stored for the routine b alone' })
      expect(await store.find('D', asker('a'))).toBeUndefined()
      expect(await store.find('B', asker('b'))).toEqual({ value: 'for b', hosts: ['b.example'] })
    })

    test('one that is set again is replaced, and its new value counts at once', async () => {
      await put('A', 'first')
      const store = storeWith('k')
      expect(await store.find('A', nobody)).toEqual({ value: 'first', hosts: [] })
      await put('A', 'second\nwith a line')
      expect(await store.find('A', nobody)).toEqual({ value: 'second\nwith a line', hosts: [] })
      expect(await store.known()).toEqual([{ name: 'A', value: 'second\nwith a line' }])
      expect(await open.ledger.sealed.remove({ name: 'A', routine: '', repository: '' })).toBe(true)
      expect(await open.ledger.sealed.remove({ name: 'A', routine: '', repository: '' })).toBe(false)
      expect(await store.find('A', nobody)).toBeUndefined()
    })

    test('another key, a row that was moved to a wider scope or given hosts: nothing is opened', async () => {
      await put('A', 'for one routine', { routine: 'a' })
      const missing = expect.stringMatching(/stored with another key.*overnight secret set A$/) as string
      expect(await storeWith('o').find('A', asker('a'))).toEqual({ missing })
      expect(await storeWith('o').known()).toEqual([])
      await open.rows(`update sealed_secrets set routine = ''`)
      expect(await storeWith('k').find('A', nobody)).toEqual({ missing })
      await open.rows(`update sealed_secrets set routine = 'a', hosts = '["evil.example"]'`)
      expect(await storeWith('k').find('A', asker('a'))).toEqual({ missing })
      expect(JSON.stringify(await open.rows(`select encode(sealed, 'escape') as s from sealed_secrets`))).not.toContain(
        'one routine',
      )
    })

    test('a ledger that cannot be asked is a reason', async () => {
      const store = createSecretStore({
        sealed: { ...open.ledger.sealed, called: () => Promise.reject(new Error('the ledger is away')) },
        seal: async () => createSeal('k'.repeat(32)),
      })
      expect(await store.find('A', nobody)).toEqual({ missing: 'the ledger is away' })
    })
  })
})
