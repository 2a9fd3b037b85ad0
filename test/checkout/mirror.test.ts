import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCheckouts } from '../../src/checkout/index.ts'
import { mirrorName, slugOf } from '../../src/checkout/mirror.ts'
import { parseHeads } from '../../src/checkout/remote-heads.ts'
import { commitFiles, createOperator, createRepository, git, openFolder } from '../support/git-repository.ts'
import { openCheckout, openLocalRemotes, repositoryAt } from '../support/open-checkout.ts'

function openGround(source: (folder: string) => string = (folder) => createRepository(join(folder, 'Größe & shop'))) {
  const folder = openFolder()
  const operator = createOperator(folder.path)
  const checkouts = createCheckouts({ openRemote: openLocalRemotes(operator) })
  const path = source(folder.path)
  const root = join(folder.path, 'mirrors')
  const ensure = () =>
    checkouts.ensureMirror({ root, repository: repositoryAt(path), signal: AbortSignal.timeout(60_000) })
  return {
    ...checkouts,
    folder: folder.path,
    operator,
    source: path,
    root,
    ensure,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

describe('a mirror', () => {
  test('has the branches of the repository, follows them, and keeps what copies may borrow', async () => {
    using ground = openGround()
    git(ground.source, 'branch', 'side')
    const first = await ground.ensure()
    const before = await ground.resolveBase(first, null)
    git(ground.source, 'branch', '--quiet', '-D', 'side')
    git(ground.source, 'commit', '--quiet', '--amend', '--allow-empty', '-m', 'rewritten')
    const again = await ground.ensure()
    expect(again.gitDir).toBe(first.gitDir)
    expect(readdirSync(ground.root)).toHaveLength(1)
    const now = await ground.resolveBase(again, 'main')
    expect(now).toEqual({ branch: 'main', commit: git(ground.source, 'rev-parse', 'main') })
    expect(git(first.gitDir, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main')
    git(first.gitDir, 'gc', '--auto', '--quiet')
    expect(git(first.gitDir, 'cat-file', '-t', before.commit)).toBe('commit')
  })

  test('is filled by twenty at once, and by two that do not know of each other', async () => {
    using ground = openGround()
    const others = createCheckouts({ openRemote: openLocalRemotes(ground.operator) })
    const ensureOther = () =>
      others.ensureMirror({
        root: ground.root,
        repository: repositoryAt(ground.source),
        signal: AbortSignal.timeout(60_000),
      })
    for (let round = 0; round < 3; round += 1) {
      commitFiles(ground.source, { 'a.txt': `${round}\n` })
      const mirrors = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? ground.ensure() : ensureOther())),
      )
      const bases = await Promise.all(mirrors.map((mirror) => ground.resolveBase(mirror, null)))
      expect(new Set(bases.map(({ commit }) => commit))).toEqual(new Set([git(ground.source, 'rev-parse', 'HEAD')]))
    }
    expect(readdirSync(ground.root)).toHaveLength(1)
  })

  test('gets over the lock of a machine that stopped', async () => {
    using ground = openGround()
    const { gitDir } = await ground.ensure()
    commitFiles(ground.source, { 'a.txt': 'a\n' })
    const lock = join(gitDir, 'refs', 'heads', 'main.lock')
    writeFileSync(lock, '')
    const longAgo = Date.now() / 1000 - 3600
    utimesSync(lock, longAgo, longAgo)
    const mirror = await ground.ensure()
    expect((await ground.resolveBase(mirror, null)).commit).toBe(git(ground.source, 'rev-parse', 'HEAD'))
  })

  test('a shallow clone of the operator is a repository like any other', async () => {
    using opened = await openCheckout({
      source(folder) {
        const full = createRepository(join(folder, 'full'))
        commitFiles(full, { 'a.txt': 'a\n' })
        git(folder, 'clone', '--quiet', '--depth=1', `file://${full}`, join(folder, 'shallow'))
        return join(folder, 'shallow')
      },
    })
    writeFileSync(join(opened.checkout.tree, 'new.txt'), 'new\n')
    expect(execFileSync('git', ['log', '--format=%s'], { cwd: opened.checkout.tree, encoding: 'utf8' })).toBe(
      'a change\n',
    )
    const patch = (await opened.collect())!
    await using quarantine = await opened.openPatch(patch)
    const commit = await quarantine.commit({ parent: patch.base, message: 'x', date: new Date(0) })
    git(quarantine.gitDir, 'push', '--quiet', opened.source, `${commit}:refs/heads/new`)
    expect(git(opened.source, 'diff', '--name-only', 'main', 'new')).toBe('new.txt')
  })

  test('object ids of 64 characters', async () => {
    using opened = await openCheckout({
      source: (folder) => createRepository(join(folder, 'wide'), undefined, ['--object-format=sha256']),
    })
    writeFileSync(join(opened.checkout.tree, 'new.txt'), 'new\n')
    const patch = (await opened.collect())!
    await using quarantine = await opened.openPatch(patch)
    expect((await quarantine.changes()).map(({ path }) => path)).toEqual(['new.txt'])
    expect(patch.tree).toHaveLength(64)
  })
})

describe('what is wrong is said in one line, with what to do', () => {
  type Case = [name: string, source: (folder: string) => string, base: string | null, message: RegExp, hint: RegExp]
  const repository = (folder: string) => createRepository(join(folder, 'shop'))
  const cases: Case[] = [
    [
      'empty',
      (folder) => (mkdirSync(join(folder, 'empty')), git(join(folder, 'empty'), 'init', '-q'), join(folder, 'empty')),
      null,
      /empty is empty$/,
      /first commit/,
    ],
    [
      'not a repository',
      (folder) => (mkdirSync(join(folder, 'plain')), join(folder, 'plain')),
      null,
      /plain is not a git repository/,
      /repository/,
    ],
    ['no such branch', repository, 'develop', /shop has no branch "develop"; it has main$/, /correct `base:`/],
    ['a branch like an option', repository, '--upload-pack=x', /has no branch/, /base/],
    ['a commit instead of a branch', repository, 'HEAD~0', /has no branch/, /base/],
    [
      'a detached HEAD',
      (folder) => (
        repository(folder),
        git(join(folder, 'shop'), 'checkout', '-q', '--detach'),
        git(join(folder, 'shop'), 'branch', 'b'),
        join(folder, 'shop')
      ),
      null,
      /has no default branch: its HEAD is detached/,
      /write `base:`/,
    ],
  ]
  const named = cases.map(([name, source, base, message, hint]) => ({ name, source, base, message, hint }))
  test.each(named)('$name', async ({ source, base, message, hint }) => {
    using ground = openGround(source)
    const refused = ground.ensure().then((mirror) => ground.resolveBase(mirror, base))
    await expect(refused).rejects.toMatchObject({
      reason: 'no_checkout',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    })
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('\n') })
  })

  test('a detached HEAD is no hindrance where the base is written', async () => {
    using ground = openGround()
    git(ground.source, 'checkout', '--quiet', '--detach')
    expect((await ground.resolveBase(await ground.ensure(), 'main')).branch).toBe('main')
  })

  test('a repository that goes away', async () => {
    using ground = openGround()
    const mirror = await ground.ensure()
    rmSync(ground.source, { recursive: true })
    await expect(mirror.refresh(undefined)).rejects.toMatchObject({ reason: 'no_checkout' })
  })

  test('a run that is stopped', async () => {
    using ground = openGround()
    const signal = AbortSignal.abort(new Error('stopped'))
    const request = { root: ground.root, repository: repositoryAt(ground.source), signal }
    await expect(ground.ensureMirror(request)).rejects.toThrow('stopped')
  })
})

test('the folder of a mirror is readable, and its own for every repository', () => {
  expect(slugOf('/home/ada/Größe & Shop.git')).toBe('gro-e-shop')
  const name = mirrorName({ forge: 'local', name: '../../etc/ü\n' })
  expect(name).toMatch(/^u-[0-9a-f]{16}\.git$/)
  expect(mirrorName({ forge: 'github', name: '../../etc/ü\n' })).not.toBe(name)
})

test('heads as git lists them', () => {
  const id = 'a'.repeat(40)
  expect(parseHeads(`ref: refs/heads/a b\tHEAD\n${id}\tHEAD\n${id}\trefs/heads/a b\n${id}\trefs/heads/c`)).toEqual({
    defaultBranch: 'a b',
    branches: new Map([
      ['a b', id],
      ['c', id],
    ]),
    objectFormat: 'sha1',
  })
  expect(parseHeads(`${id}\tHEAD\n${id}\trefs/heads/only`).defaultBranch).toBeNull()
  expect(parseHeads(`${id}\trefs/heads/only`).defaultBranch).toBe('only')
  expect(parseHeads('').branches.size).toBe(0)
})

test('nothing of the operator’s settings is copied; the origin is a name of ours', async () => {
  using opened = await openCheckout()
  const text =
    readFileSync(join(opened.mirror.gitDir, 'config'), 'utf8') +
    readFileSync(join(opened.checkout.tree, '.git/config'), 'utf8')
  const origin = `[remote "origin"]\n\turl = overnight://repository\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`
  expect(text).toContain(origin)
  expect(text.replace(origin, '')).not.toMatch(/remote|url|token|credential/)
})
