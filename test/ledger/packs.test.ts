import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createLedger } from '../../src/ledger/ledger.ts'
import { readPack, writePack } from '../../src/ledger/packs.ts'
import { openTestStore } from '../support/test-store.ts'

test.each([0, 1, 1024 * 1024 - 1, 1024 * 1024, 3 * 1024 * 1024 + 5])(
  'a pack of %i bytes comes back as it was',
  async (size) => {
    await using opened = await openTestStore()
    const { db } = opened.store
    const pack = randomBytes(size)
    await db.transaction((tx) => writePack(tx, 'run', pack))
    await db.transaction((tx) => writePack(tx, 'other', randomBytes(10)))
    expect((await readPack(db, 'run')).equals(pack)).toBe(true)
    expect(await createLedger(opened.store).publications.patchOf('nobody')).toBeUndefined()
  },
)
