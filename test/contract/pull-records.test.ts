import { expect, test } from 'vitest'
import type { NewPullRecord, PullRecords } from '../../src/forges/pull-records.ts'
import { createLedger } from '../../src/ledger/ledger.ts'
import { createPullRecords } from '../support/pull-records.ts'
import { openTestStore } from '../support/test-store.ts'

const draft = (branch: string, repository = '/shop'): NewPullRecord => ({
  repository,
  branch,
  base: 'main',
  head: 'a'.repeat(40),
  title: 'Tidy',
  body: '',
  draft: true,
  labels: ['routine'],
  routine: 'tidy',
  subject: 'main',
  run: 'r1',
})
const idOf = (repository: string) => (number: number) => `${repository.slice(1)}-${number}`

async function keepsPromises(records: PullRecords): Promise<void> {
  const first = await records.insert(draft('one'), idOf('/shop'))
  expect(first).toMatchObject({ id: 'shop-1', number: 1, state: 'open', mergeCommit: null, labels: ['routine'] })
  expect(await records.insert(draft('one'), idOf('/shop'))).toEqual(first)
  expect(await records.insert(draft('two'), idOf('/shop'))).toMatchObject({ number: 2 })
  expect(await records.insert(draft('one', '/other'), idOf('/other'))).toMatchObject({ id: 'other-1', number: 1 })
  expect(await records.updateOpen('shop-1', { state: 'merged', mergeCommit: 'b'.repeat(40) })).toMatchObject({
    state: 'merged',
  })
  expect(await records.updateOpen('shop-1', { title: 'Later' })).toBeUndefined()
  expect(await records.insert(draft('one'), idOf('/shop'))).toMatchObject({ number: 3, state: 'open' })
  expect((await records.list({ repository: '/shop' })).map(({ number }) => number)).toEqual([3, 2, 1])
  expect((await records.list({ repository: '/shop', state: 'open' })).map(({ number }) => number)).toEqual([3, 2])
  expect(await records.find('shop-1')).toMatchObject({ state: 'merged' })
  expect(await records.find('nothing')).toBeUndefined()
  const racing = await Promise.all(Array.from({ length: 8 }, () => records.insert(draft('race'), idOf('/shop'))))
  expect(new Set(racing.map(({ number }) => number)).size).toBe(1)
}

test('records in memory keep the promises', () => keepsPromises(createPullRecords()))

test('records in the ledger keep the promises', async () => {
  await using opened = await openTestStore()
  await keepsPromises(createLedger(opened.store).pulls)
})
