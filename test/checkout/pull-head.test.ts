import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listFolder } from '../../src/checkout/read-folder.ts'
import { createMirrors } from '../../src/checkout/mirror.ts'
import { openPullHead } from '../../src/checkout/pull-head.ts'
import { openGitHubGround } from '../support/github/ground.ts'
import { git } from '../support/git-repository.ts'

test('what a stranger proposes is read in a repository of its own, which is gone afterwards', async () => {
  await using ground = await openGitHubGround()
  const { forge, github, signal } = ground
  const { openRemote } = forge
  const root = join(ground.folder, 'mirrors')
  const repository = await forge.locate('acme/shop', root)
  const mirror = await createMirrors(openRemote)({ root, repository, signal })
  const into = github.repositories.headOf('acme/shop', 'main')!
  const change = { branch: 'theirs', fork: true }
  const { number, head } = await github.propose('acme/shop', { ...change, files: { 'r/a.md': 'a' } })
  const others = readdirSync(root)
  {
    await using pull = await openPullHead({ mirror, openRemote, number, into, root, signal })
    expect(pull).toMatchObject({ commit: head, base: into })
    expect(await listFolder(pull.gitDir, head, 'r')).toMatchObject([{ entry: 'a.md', kind: 'file' }])
    expect(await pull.isNewest()).toBe(true)
    await github.propose('acme/shop', { ...change, number, files: { 'r/b.md': 'b' } })
    expect(await pull.isNewest()).toBe(false)
  }
  expect(readdirSync(root)).toEqual(others)
  expect(() => git(mirror.gitDir, 'cat-file', '-e', head)).toThrow()
  const large = { ...change, branch: 'large', files: { 'r/noise': randomBytes(256 * 1024).toString('hex') } }
  const tooLarge = { mirror, openRemote, number: (await github.propose('acme/shop', large)).number, into, root, signal }
  await expect(openPullHead({ ...tooLarge, mostBytes: 64 * 1024 })).rejects.toMatchObject({ reason: 'too_large' })
  await expect(openPullHead({ mirror, openRemote, number: 99, into, root, signal })).rejects.toThrow()
  expect(readdirSync(root)).toEqual(others)
})
