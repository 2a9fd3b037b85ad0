import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createBaseReader } from '../../src/checkout/base-files.ts'
import { createCopies } from '../../src/checkout/checkout.ts'
import { commitFiles, createRepository, git, gitEnvironment, openFolder } from '../support/git-repository.ts'

/** More files than git writes with one worker, in folders, with a program, a link and a submodule. */
function createShop(folder: string): { gitDir: string; base: { branch: string; commit: string } } {
  const files = Array.from({ length: 300 }, (_, index) => [`src/${index % 20}/file ${index}.ts`, `line ${index}\r\n`])
  const shop = createRepository(join(folder, 'shop'), {
    ...(Object.fromEntries(files) as Record<string, string>),
    'run.sh': '#!/bin/sh\n',
    '.gitattributes': '*.ts text eol=lf\n',
  })
  git(shop, 'update-index', '--chmod=+x', 'run.sh')
  git(shop, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor/lib`)
  symlinkSync('run.sh', join(shop, 'link'))
  git(shop, 'add', 'link')
  git(shop, 'commit', '--quiet', '-m', 'modes')
  return { gitDir: join(shop, '.git'), base: { branch: 'main', commit: git(shop, 'rev-parse', 'HEAD') } }
}

describe.each([1, 4])('with %i cores', (cores) => {
  test('copies made at once are whole, clean to git without a second look, and know their submodules', async () => {
    using folder = openFolder()
    const { gitDir, base } = createShop(folder.path)
    const createCheckout = createCopies({ cores })
    const copies = await Promise.all(
      [1, 2, 3].map((copy) =>
        createCheckout({ mirror: { gitDir }, base, folder: join(folder.path, `copy ${copy}`), signal: undefined }),
      ),
    )
    for (const { tree } of copies) {
      // diff-files trusts the index: what it was not told about would count as changed.
      expect(git(tree, 'diff-files', '--name-only')).toBe('')
      expect(git(tree, 'status', '--porcelain')).toBe('')
      expect(git(tree, 'write-tree')).toBe(git(tree, 'rev-parse', `${base.commit}^{tree}`))
      expect(git(tree, 'ls-files', '-v').split('\n')).toContain('H vendor/lib')
    }
  })
})

test('what cannot be written ends by name, and nothing writes afterwards', async () => {
  using folder = openFolder()
  const { gitDir, base } = createShop(folder.path)
  const createCheckout = createCopies()
  const stop = AbortSignal.abort(new Error('no longer wanted'))
  const request = { mirror: { gitDir }, base, folder: join(folder.path, 'copy') }
  await expect(createCheckout({ ...request, signal: stop })).rejects.toThrow('no longer wanted')
  const missing = { branch: 'main', commit: '2'.repeat(40) }
  await expect(createCheckout({ ...request, base: missing, signal: undefined })).rejects.toMatchObject({
    reason: 'no_checkout',
  })
  expect((await createCheckout({ ...request, signal: undefined })).base.commit).toBe(base.commit)
})

/** Ten folders deep, each of ten that are the same one: of a few hundred bytes. */
function commitBomb(shop: string, file: string): string {
  const make = (line: string) =>
    execFileSync('git', ['mktree'], { cwd: shop, env: gitEnvironment, input: line, encoding: 'utf8' }).trim()
  const ten = (what: string) => Array.from('0123456789', (name) => `${what}\t${name}\n`).join('')
  let tree = make(ten(`100644 blob ${git(shop, 'hash-object', '-w', file)}`))
  for (let depth = 1; depth < 10; depth += 1) tree = make(ten(`040000 tree ${tree}`))
  return git(shop, 'commit-tree', tree, '-m', 'bomb')
}

describe('a base that stands for more than there is', () => {
  test('ten thousand million files in a few hundred bytes: no git reads them into its memory', async () => {
    using folder = openFolder()
    const shop = createRepository(join(folder.path, 'shop'))
    const base = { branch: 'main', commit: commitBomb(shop, 'README.md') }
    const createCheckout = createCopies({ mostListedBytes: 1024 * 1024 })
    const request = { mirror: { gitDir: join(shop, '.git') }, base, folder: join(folder.path, 'copy') }
    await expect(createCheckout({ ...request, signal: undefined })).rejects.toMatchObject({
      reason: 'no_checkout',
      message: expect.stringMatching(/more files than can be checked out/) as string,
    })
    expect(existsSync(join(folder.path, 'copy', 'collect', 'base-index'))).toBe(false)
  })

  test('files that take more than the disk has: nothing is written', async () => {
    using folder = openFolder()
    const shop = createRepository(join(folder.path, 'shop'))
    // 128 MiB of nothing are some kilobytes for git, and all files are the same one.
    const large = join(folder.path, 'large')
    writeFileSync(large, '')
    truncateSync(large, 128 * 1024 ** 2)
    const blob = git(shop, 'hash-object', '-w', large)
    const input = Array.from({ length: 100_000 }, (_, index) => `100644 blob ${blob}\t${index}\n`).join('')
    const tree = execFileSync('git', ['mktree'], { cwd: shop, env: gitEnvironment, input, encoding: 'utf8' }).trim()
    const base = { branch: 'main', commit: git(shop, 'commit-tree', tree, '-m', 'large') }
    const request = { mirror: { gitDir: join(shop, '.git') }, base, folder: join(folder.path, 'copy') }
    await expect(createCopies()({ ...request, signal: undefined })).rejects.toMatchObject({
      reason: 'disk_full',
      message: expect.stringMatching(
        /^the files of the base take 12500\.0 GiB, and the disk has [\d.]+ GiB$/,
      ) as string,
    })
    expect(readdirSync(join(folder.path, 'copy', 'tree'))).toEqual([])
  })
})

describe('what is known of a base', () => {
  test('is read once, also by those who ask at the same time', async () => {
    using folder = openFolder()
    const { gitDir, base } = createShop(folder.path)
    const readBase = createBaseReader()
    const [first, second] = await Promise.all([1, 2].map(() => readBase({ gitDir, commit: base.commit })))
    expect(first).toBe(second)
    expect(first!.submodules.toString()).toBe('vendor/lib\0')
    renameSync(gitDir, `${gitDir} away`)
    expect(await readBase({ gitDir, commit: base.commit })).toBe(first)
  })

  test('is forgotten when reading failed, and when newer bases came', async () => {
    using folder = openFolder()
    const shop = createRepository(join(folder.path, 'shop'))
    const gitDir = join(shop, '.git')
    const bases = Array.from({ length: 17 }, (_, index) => commitFiles(shop, { 'a.txt': String(index) }))
    const readBase = createBaseReader()
    renameSync(gitDir, `${gitDir} away`)
    await expect(readBase({ gitDir, commit: bases[0]! })).rejects.toThrow(/not a git repository/)
    cpSync(`${gitDir} away`, gitDir, { recursive: true })
    const known = await Promise.all(bases.map((commit) => readBase({ gitDir, commit })))
    expect(await readBase({ gitDir, commit: bases[16]! })).toBe(known[16])
    expect(await readBase({ gitDir, commit: bases[0]! })).not.toBe(known[0])
  })
})
