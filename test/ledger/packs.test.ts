import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readPack, writePack } from '../../src/ledger/packs.ts'
import { stores, type OpenLedger } from '../support/open-ledger.ts'

describe.for(stores)('on $store', ({ skip, open: opening }) => {
  describe.skipIf(skip)('a pack', () => {
    let open: OpenLedger
    beforeAll(async () => {
      open = await opening()
    })
    afterAll(() => open[Symbol.asyncDispose]())
    beforeEach(() => open.clear())

    test.each([0, 1, 1024 * 1024 - 1, 1024 * 1024, 3 * 1024 * 1024 + 5])(
      'of %i bytes comes back as it was',
      async (size) => {
        const { db } = open.store
        const pack = randomBytes(size)
        await db.transaction((tx) => writePack(tx, 'run', pack))
        await db.transaction((tx) => writePack(tx, 'other', randomBytes(10)))
        expect((await readPack(db, 'run')).equals(pack)).toBe(true)
        expect(await open.ledger.publications.patchOf('nobody')).toBeUndefined()
      },
    )
  })
})
