import { cp, mkdtemp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { migrate } from '../../src/ledger/migrate.ts'
import { openStore, type Store } from '../../src/ledger/store.ts'

export type TestStore = AsyncDisposable & { store: Store; ledger: string }

/** A real, migrated store in a temporary folder. Making one takes seconds, so later ones are copies of the first. */
export async function openTestStore(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-store-'))
  const ledger = join(folder, 'ledger')
  await copyNewLedger(ledger)
  const store = await openStore({ ledger })
  await migrate(store)
  return {
    store,
    ledger,
    async [Symbol.asyncDispose]() {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Puts an empty store (not migrated) at a path; the folder above is made. */
export async function copyNewLedger(ledger: string): Promise<void> {
  const template = await ensureTemplate()
  await mkdir(resolve(ledger, '..'), { recursive: true })
  await cp(template, ledger, { recursive: true })
}

async function ensureTemplate(): Promise<string> {
  const cache = resolve(import.meta.dirname, '../../node_modules/.cache/overnight')
  const template = join(cache, 'ledger-pglite-0.5.16')
  if (await exists(template)) return template
  await mkdir(cache, { recursive: true })
  const own = await mkdtemp(join(cache, 'new-'))
  const store = await openStore({ ledger: join(own, 'ledger') })
  await store.close()
  // Another worker may have been quicker.
  await rename(join(own, 'ledger'), template).catch(() => {})
  await rm(own, { recursive: true, force: true })
  return template
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
