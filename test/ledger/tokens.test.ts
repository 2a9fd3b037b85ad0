import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('tokens', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    const insert = (id: string, lifeMs: number | null = 60_000, name = id) =>
      open.ledger.tokens.insert({
        id,
        name,
        hash: `hash of ${id}`,
        routines: ['a', 'b'],
        scopes: ['fire'],
        createdBy: 'test',
        lifeMs,
      })
    const known = (id: string) => open.ledger.tokens.withHash(`hash of ${id}`)
    async function later(ms: number): Promise<void> {
      await open.setClock(new Date((await open.ledger.now()).getTime() + ms))
    }

    test('one is found by its hash alone, whole', async () => {
      await insert('tok_1')
      expect(await known('tok_1')).toMatchObject({ id: 'tok_1', state: 'live', routines: ['a', 'b'], scopes: ['fire'] })
      expect([await known('tok_2'), await open.ledger.tokens.withHash('')]).toEqual([undefined, undefined])
      await expect(insert('tok_1')).rejects.toThrow()
    })

    test('expires by the clock of the ledger; one without a term does not', async () => {
      await insert('short')
      await insert('endless', null)
      await later(59_000)
      expect((await known('short'))?.state).toBe('live')
      await later(1001)
      expect([(await known('short'))?.state, (await known('endless'))?.state]).toEqual(['expired', 'live'])
    })

    test('revoked once, it stays so, at the time it was first said', async () => {
      await insert('tok_1')
      const { tokens } = open.ledger
      expect([await tokens.revoke('tok_1'), await tokens.revoke('none')]).toEqual([true, false])
      const first = (await known('tok_1'))!.revokedAt
      await later(5000)
      expect([await tokens.revoke('tok_1'), (await known('tok_1'))!.revokedAt]).toEqual([false, first])
      expect((await known('tok_1'))!.state).toBe('revoked')
    })

    test('its last use is written once a minute', async () => {
      await insert('tok_1', null)
      const used = async () => {
        await open.ledger.tokens.used('tok_1')
        return (await known('tok_1'))!.usedAt!.getTime()
      }
      const first = await used()
      await later(59_000)
      expect(await used()).toBe(first)
      await later(1001)
      expect(await used()).toBeGreaterThanOrEqual(first + 60_000)
    })

    test('is called by its id, or by its name while it is live; an id goes before a name', async () => {
      const called = async (words: string) => (await open.ledger.tokens.called(words))?.id
      await insert('tok_1', 60_000, 'ci')
      expect([await called('ci'), await called('tok_1'), await called('%')]).toEqual(['tok_1', 'tok_1', undefined])
      await open.ledger.tokens.revoke('tok_1')
      expect([await called('ci'), await called('tok_1')]).toEqual([undefined, 'tok_1'])
      await insert('short', 60_000, 'ci')
      expect(await called('ci')).toBe('short')
      await later(60_001)
      expect([await called('ci'), await called('short')]).toEqual([undefined, 'short'])
      await insert('tok_2', null, 'tok_1')
      expect(await called('tok_1')).toBe('tok_1')
      expect((await open.ledger.tokens.list()).map(({ id }) => id)).toEqual(['tok_2', 'short', 'tok_1'])
    })
  })
})
