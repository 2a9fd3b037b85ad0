import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '../../src/ledger/store.ts'
import { putFreshLedger } from './ledger-template.ts'

export type TestStore = AsyncDisposable & { store: Store; ledger: string }

/** A real, migrated store in a temporary folder. */
export async function openTestStore(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-store-'))
  const ledger = join(folder, 'ledger')
  await putFreshLedger(ledger)
  const store = await openStore({ ledger })
  return {
    store,
    ledger,
    async [Symbol.asyncDispose]() {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
