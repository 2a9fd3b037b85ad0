import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sweepMirrors } from '../../src/checkout/mirror-leftovers.ts'
import { openFolder } from '../support/git-repository.ts'

test('what killed fetches left is removed; mirrors, and fetches at work, are not', async () => {
  using folder = openFolder()
  const old = new Date(Date.now() - 7 * 3_600_000)
  const uuid = '3f0c7f1e-6a53-4f0a-9d0c-0d9b6f1c2a11'
  const make = (name: string, files: Record<string, Date>) => {
    const packs = join(folder.path, name, 'objects', 'pack')
    mkdirSync(packs, { recursive: true })
    for (const [file, at] of Object.entries(files)) {
      writeFileSync(join(packs, file), 'x')
      utimesSync(join(packs, file), at, at)
    }
  }
  make('shop-1.git', { tmp_pack_old: old, tmp_pack_new: new Date(), 'pack-1.pack': old })
  make(`shop-1.git.${uuid}`, {})
  make(`shop-2.git.${uuid}`, {})
  utimesSync(join(folder.path, `shop-1.git.${uuid}`), old, old)
  expect(await sweepMirrors(folder.path)).toHaveLength(2)
  expect(readdirSync(folder.path).toSorted()).toEqual(['shop-1.git', `shop-2.git.${uuid}`])
  expect(readdirSync(join(folder.path, 'shop-1.git', 'objects', 'pack')).toSorted()).toEqual([
    'pack-1.pack',
    'tmp_pack_new',
  ])
  expect(await sweepMirrors(join(folder.path, 'nowhere'))).toEqual([])
})
