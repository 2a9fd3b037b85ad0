import { expect, test } from 'vitest'
import { git, openFolder } from '../support/git-repository.ts'
import { ensureLargeRepository } from './large-repository.ts'

const small = { seed: 7, files: 60, commits: 240, assets: 2, assetVersions: 3 }

test('a shape is always the same history, with every file at its head', async () => {
  using folder = openFolder()
  const first = await ensureLargeRepository(small, `${folder.path}/a`)
  const second = await ensureLargeRepository(small, `${folder.path}/b`)
  expect(git(second, 'rev-parse', 'main')).toBe(git(first, 'rev-parse', 'main'))
  expect(git(first, 'ls-tree', '-r', '--name-only', 'main').split('\n')).toHaveLength(62)
  expect(git(first, 'rev-list', '--count', 'main')).toBe('240')
  expect(Number(git(first, 'rev-list', '--count', '--merges', 'main'))).toBe(20)
  expect(git(first, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main')
  expect(git(first, 'fsck', '--strict', '--no-dangling')).toBe('')
})

test('it is built once a shape, and what another shape left is removed', async () => {
  using folder = openFolder()
  const first = await ensureLargeRepository(small, folder.path)
  git(first, 'tag', 'seen')
  expect(git(await ensureLargeRepository(small, folder.path), 'tag')).toBe('seen')
  const other = await ensureLargeRepository({ ...small, seed: 8 }, folder.path)
  expect(other).not.toBe(first)
  expect(() => git(first, 'tag')).toThrow()
})
