import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isOfFamily } from '../../src/forges/local.ts'
import { whyRefused } from '../../src/forges/push-local.ts'
import { forgeContract } from '../contract/forge.ts'
import { commitFiles, createRepository, git, writeFiles } from '../support/git-repository.ts'
import { openLocalGround } from '../support/local-ground.ts'
import { need } from '../support/need.ts'

const branch = 'overnight/tidy/main'
const bare = (folder: string) => {
  git(folder, 'clone', '--quiet', '--bare', createRepository(join(folder, 'source')), join(folder, 'bäre repo.git'))
  return join(folder, 'bäre repo.git')
}

forgeContract('local, a work tree', () => openLocalGround())
forgeContract('local, a bare repository', () => openLocalGround(bare))

type Source = (folder: string) => string

/** A repository whose pull request adds `new.txt` and changes README.md. */
async function openPull(
  source?: Source,
  files: Record<string, string> = { 'new.txt': 'new\n', 'README.md': '# Better shop\n' },
) {
  const ground = await openLocalGround(source)
  const repository = await ground.forge.locate(ground.repository, ground.from)
  const base = (await ground.forge.findHead(repository, 'main'))!
  const head = ground.commit(base, files)
  await ground.forge.ensureBranch({ ...ground, repository, branch, commit: head, expected: null })
  const about = {
    title: 'Tidy',
    body: '',
    draft: true,
    labels: [],
    reviewers: [],
    routine: 'tidy',
    subject: 'main',
    run: 'run-1',
  }
  const draft = { ...about, repository, branch, base: 'main', head }
  const pull = await ground.forge.ensurePull(draft)
  return {
    ...ground,
    located: repository,
    base,
    head,
    pull,
    draft,
    [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose](),
  }
}

describe('where the repository is', () => {
  test('one name by every path that leads to it', async () => {
    await using ground = await openLocalGround()
    ground.inRepository('worktree', 'add', '--quiet', '-b', 'side', join(ground.folder, 'linked tree'))
    const name = (await ground.forge.locate('Müllers shop', ground.folder)).name
    for (const path of [
      './Müllers shop/',
      'Müllers shop/.git',
      'linked tree',
      `file://${encodeURI(ground.repository)}`,
    ]) {
      expect({ path, name: (await ground.forge.locate(path, ground.folder)).name }).toEqual({ path, name })
    }
  })

  type Wrong = [name: string, make: (folder: string) => string, message: RegExp, hint: RegExp]
  const wrong: Wrong[] = [
    ['missing', () => 'nowhere', /there is no repository at .*nowhere$/, /correct `repository:`/],
    [
      'not a repository',
      (folder) => (mkdirSync(join(folder, 'plain')), 'plain'),
      /plain is not a git repository$/,
      /git init/,
    ],
    [
      'a file',
      (folder) => (writeFileSync(join(folder, 'file'), ''), 'file'),
      /file is not a git repository$/,
      /correct `repository:`/,
    ],
    ['a folder inside', () => 'Müllers shop/.git/objects', /is a folder inside/, /write repository: .*shop"$/],
  ]
  const named = wrong.map(([name, make, message, hint]) => ({ name, make, message, hint }))
  test.each(named)('$name: says so, and what to do', async ({ make, message, hint }) => {
    await using ground = await openLocalGround()
    const refused = ground.forge.locate(make(ground.folder), ground.folder)
    await expect(refused).rejects.toMatchObject({
      reason: 'no_checkout',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    })
  })

  test('a folder inside a work tree names the repository to write', async () => {
    await using ground = await openLocalGround()
    mkdirSync(join(ground.repository, 'packages'))
    await expect(ground.forge.locate('Müllers shop/packages', ground.folder)).rejects.toMatchObject({
      reason: 'no_checkout',
      hint: `write repository: ${JSON.stringify(ground.repository)}`,
    })
  })

  test.each([
    'https://github.com/acme/shop',
    'https://x:secret@host/a',
    'git@github.com:acme/shop.git',
    'ssh://host/a',
  ])('a URL is not available yet, and its secret is not repeated: %s', async (url) => {
    await using ground = await openLocalGround()
    await expect(ground.forge.locate(url, ground.folder)).rejects.toMatchObject({
      reason: 'not_available',
      message: expect.not.stringContaining('secret'),
    })
  })

  const root = need(process.getuid?.() === 0 ? undefined : 'root, to make a repository of another user')
  test.skipIf(root.skip)(`a repository of another user is explained${root.note}`, async () => {
    await using ground = await openLocalGround()
    execFileSync('chown', ['-R', '12345', ground.repository])
    await expect(ground.forge.locate(ground.repository, '/')).rejects.toMatchObject({
      reason: 'no_checkout',
      message: expect.stringContaining('belongs to another user'),
      hint: expect.stringMatching(/^git config --global --add safe\.directory /),
    })
    writeFileSync(join(ground.operator.home, '.gitconfig'), '[safe]\n\tdirectory = *\n')
    expect(await ground.forge.locate(ground.repository, '/')).toMatchObject({ forge: 'local' })
  })
})

describe('the operator’s hooks and settings may refuse a branch', () => {
  const hook = (repository: string, name: string, text: string) => {
    const path = join(repository, '.git', 'hooks', name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
  }
  const push = async (prepare: (repository: string) => void) => {
    await using ground = await openLocalGround()
    prepare(ground.repository)
    const repository = await ground.forge.locate(ground.repository, '/')
    const commit = ground.commit((await ground.forge.findHead(repository, 'main'))!, { 'a.txt': 'x\n' })
    await ground.forge.ensureBranch({ ...ground, repository, branch, commit, expected: null })
  }

  test('with the last line of the hook', async () => {
    const refuse = 'echo "checking"; echo "no branches on Fridays"; exit 1'
    for (const name of ['pre-receive', 'update']) {
      await expect(push((repository) => hook(repository, name, refuse))).rejects.toMatchObject({
        reason: 'push_refused',
        message: `the repository refused ${branch}: no branches on Fridays`,
      })
    }
  })

  test('with what to do when a branch named overnight is in the way', async () => {
    await expect(push((repository) => git(repository, 'branch', 'overnight'))).rejects.toMatchObject({
      reason: 'push_refused',
      hint: expect.stringContaining('git branch -m overnight'),
    })
  })

  test('with what to do when the branch is checked out', async () => {
    await using ground = await openPull()
    ground.inRepository('switch', '--quiet', branch)
    const commit = ground.commit(ground.base, { 'a.txt': 'x\n' })
    await expect(
      ground.forge.ensureBranch({ ...ground, repository: ground.located, branch, commit, expected: ground.head }),
    ).rejects.toMatchObject({ reason: 'push_refused', hint: expect.stringContaining('switch that work tree') })
  })

  test('nothing but the branch is added', async () => {
    await using ground = await openPull()
    expect(ground.inRepository('for-each-ref', '--format=%(refname)').split('\n')).toEqual([
      'refs/heads/main',
      `refs/heads/${branch}`,
    ])
    expect(ground.inRepository('remote')).toBe('')
    expect(ground.inRepository('status', '--porcelain')).toBe('')
    expect(ground.inRepository('config', '--local', '--name-only', '--list')).not.toMatch(/remote|branch|user/)
  })
})

/** The files of a work tree, without `.git`. */
const readFiles = (path: string) =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => [name, readFileSync(join(path, name), 'utf8')])

describe('merging', () => {
  const detached: Source = (folder) => {
    const path = createRepository(join(folder, 'detached'))
    git(path, 'checkout', '--quiet', '--detach')
    return path
  }
  const elsewhere: Source = (folder) => {
    const path = createRepository(join(folder, 'elsewhere'))
    git(path, 'switch', '--quiet', '-c', 'other')
    return path
  }
  test.each<[string, Source | undefined]>([
    ['a work tree that has the base checked out', undefined],
    ['a bare repository', bare],
    ['a detached HEAD', detached],
    ['another branch checked out', elsewhere],
  ])('moves the base forward: %s', async (_, source) => {
    await using ground = await openPull(source)
    const merged = await ground.forge.merge(ground.pull.id, 'ada')
    expect(merged).toMatchObject({ state: 'merged', head: ground.head })
    expect(ground.inRepository('rev-parse', 'main')).toBe(ground.head)
    expect(await ground.forge.merge(ground.pull.id, 'ada')).toEqual(merged)
    if (source === bare) return
    expect(ground.inRepository('status', '--porcelain')).toBe('')
    expect(ground.exists('new.txt')).toBe(source === undefined)
  })

  test('makes a real merge where the base has moved, and every work tree that has it follows', async () => {
    await using ground = await openPull()
    const theirs = commitFiles(ground.repository, { 'theirs.txt': 'theirs\n' })
    ground.inRepository('switch', '--quiet', '-c', 'other')
    const linked = join(ground.folder, 'linked träe')
    ground.inRepository('worktree', 'add', '--quiet', linked, 'main')
    await ground.forge.merge(ground.pull.id, 'ada <ada@example.com>')
    expect(ground.inRepository('log', '-1', '--format=%P', 'main')).toBe(`${theirs} ${ground.head}`)
    expect(ground.inRepository('log', '-1', '--format=%(trailers:key=Merged-by,valueonly)', 'main').trim()).toBe(
      'ada <ada@example.com>',
    )
    expect(readFileSync(join(linked, 'new.txt'), 'utf8') + readFileSync(join(linked, 'theirs.txt'), 'utf8')).toBe(
      'new\ntheirs\n',
    )
    expect(git(linked, 'status', '--porcelain')).toBe('')
    expect(ground.exists('new.txt')).toBe(false)
  })

  test('a conflict names the files, and changes nothing', async () => {
    await using ground = await openPull()
    const theirs = commitFiles(ground.repository, { 'README.md': '# Their shop\n' })
    await expect(ground.forge.merge(ground.pull.id, 'ada')).rejects.toMatchObject({
      code: 'conflict',
      message: '#1 conflicts with main in README.md',
      hint: expect.stringContaining('fire the routine again'),
    })
    expect(ground.inRepository('rev-parse', 'main')).toBe(theirs)
    expect(ground.inRepository('status', '--porcelain')).toBe('')
    expect((await ground.forge.read(ground.pull.id)).state).toBe('open')
  })

  const dirty: [string, (path: string) => void, RegExp][] = [
    [
      'a changed file',
      (path) => writeFileSync(join(path, 'README.md'), 'mine\n'),
      /uncommitted changes \(README\.md\)/,
    ],
    [
      'a staged file',
      (path) => (writeFileSync(join(path, 'x'), ''), git(path, 'add', 'x')),
      /uncommitted changes \(x\)/,
    ],
    ['a removed file', (path) => rmSync(join(path, 'README.md')), /uncommitted changes/],
    ['a file in the way', (path) => writeFileSync(join(path, 'new.txt'), 'mine\n'), /in the way: new\.txt/],
    ['a merge under way', (path) => writeFileSync(join(path, '.git', 'MERGE_HEAD'), ''), /middle of a merge/],
  ]
  test.each(dirty)('is refused while the base is checked out with %s', async (_, spoil, message) => {
    await using ground = await openPull()
    spoil(ground.repository)
    const before = [ground.inRepository('rev-parse', 'main'), ground.inRepository('diff-index', '--cached', 'main')]
    const mine = readFiles(ground.repository)
    await expect(ground.forge.merge(ground.pull.id, 'ada')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('merge again'),
    })
    expect([ground.inRepository('rev-parse', 'main'), ground.inRepository('diff-index', '--cached', 'main')]).toEqual(
      before,
    )
    expect(readFiles(ground.repository)).toEqual(mine)
  })

  test('files nobody committed stay as they are', async () => {
    await using ground = await openPull()
    writeFiles(ground.repository, { 'notes/mine.txt': 'mine\n' })
    await ground.forge.merge(ground.pull.id, 'ada')
    expect(readFileSync(join(ground.repository, 'notes/mine.txt'), 'utf8')).toBe('mine\n')
    expect(ground.inRepository('status', '--porcelain')).toBe('?? notes/')
  })

  test('goes on after a kill between the work tree and the base', async () => {
    await using ground = await openPull()
    ground.inRepository('read-tree', '-m', '-u', 'main', branch)
    expect(ground.inRepository('status', '--porcelain')).not.toBe('')
    await ground.forge.merge(ground.pull.id, 'ada')
    expect(ground.inRepository('rev-parse', 'main')).toBe(ground.head)
    expect(ground.inRepository('status', '--porcelain')).toBe('')
  })

  test('goes on after a kill between the base and the record', async () => {
    await using ground = await openPull()
    ground.inRepository('merge', '--quiet', '--ff-only', branch)
    expect(await ground.forge.merge(ground.pull.id, 'ada')).toMatchObject({ state: 'merged' })
  })

  test('a base that moves at the same moment is not overwritten', async () => {
    await using ground = await openPull()
    const hooks = join(ground.repository, '.git', 'hooks')
    mkdirSync(hooks, { recursive: true })
    const steal =
      'GIT_DIR="$(git rev-parse --absolute-git-dir)"; c=$(cat "$GIT_DIR/theirs"); echo "$c" > "$GIT_DIR/refs/heads/main"'
    commitFiles(ground.repository, { 'theirs.txt': 'x\n' })
    writeFileSync(join(ground.repository, '.git', 'theirs'), ground.inRepository('rev-parse', 'main'))
    ground.inRepository('reset', '--quiet', '--hard', 'HEAD~1')
    writeFileSync(join(hooks, 'post-index-change'), `#!/bin/sh\n${steal}\n`)
    chmodSync(join(hooks, 'post-index-change'), 0o755)
    await expect(ground.forge.merge(ground.pull.id, 'ada')).rejects.toMatchObject({
      code: 'conflict',
      hint: 'merge again',
    })
    expect(ground.inRepository('log', '-1', '--format=%s', '--name-only', 'main')).toContain('theirs.txt')
    expect(ground.exists('new.txt')).toBe(false)
  })

  test('what the operator merged or removed by hand counts', async () => {
    await using ground = await openPull()
    ground.inRepository('merge', '--quiet', '--no-ff', '-m', 'by hand', branch)
    ground.inRepository('branch', '--quiet', '-D', branch)
    expect(await ground.forge.list({ state: 'open' })).toEqual([])
    expect((await ground.forge.read(ground.pull.id)).state).toBe('merged')

    await using other = await openPull()
    other.inRepository('branch', '--quiet', '-D', branch)
    expect((await other.forge.list({ state: 'closed' })).map(({ id }) => id)).toEqual([other.pull.id])
    await expect(other.forge.merge(other.pull.id, 'ada')).rejects.toMatchObject({ code: 'conflict' })
  })

  test('a repository that is gone leaves its records as they are', async () => {
    await using ground = await openPull()
    rmSync(ground.repository, { recursive: true })
    expect(await ground.forge.list({})).toMatchObject([{ state: 'open' }])
    await expect(ground.forge.diff(ground.pull, 1000)).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('closing and reading', () => {
  test('closed stays closed, and the next one has the next number', async () => {
    await using ground = await openPull()
    expect(await ground.forge.close(ground.pull.id, 'ada')).toMatchObject({ state: 'closed' })
    expect(await ground.forge.close(ground.pull.id, 'ada')).toMatchObject({ state: 'closed' })
    await expect(ground.forge.merge(ground.pull.id, 'ada')).rejects.toMatchObject({ code: 'conflict' })
    const next = await ground.forge.ensurePull({ ...ground.draft, branch: `${branch}-2` })
    expect(next.number).toBe(2)
    expect(next.id).toMatch(/^mullers-shop-[0-9a-f]{6}-2$/)
    await expect(ground.forge.read('nothing')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('the diff is what the branch adds, before and after the merge, and is cut at a line', async () => {
    await using ground = await openPull()
    commitFiles(ground.repository, { 'theirs.txt': 'theirs\n' })
    const { text, cut } = await ground.forge.diff(ground.pull, 100_000)
    expect(text).toContain('+# Better shop')
    expect(text).not.toContain('theirs')
    expect(cut).toBe(false)
    const short = await ground.forge.diff(ground.pull, 100)
    expect(short.cut).toBe(true)
    expect(short.text.length).toBeLessThanOrEqual(100)
    expect(short.text.endsWith('\n')).toBe(true)
    expect(text.startsWith(short.text)).toBe(true)
    const merged = await ground.forge.merge(ground.pull.id, 'ada')
    expect((await ground.forge.diff(merged, 100_000)).text).toBe(text)
  })
})

test.each([
  ['overnight/a/main', true],
  ['overnight/a/main-2', true],
  ['overnight/a/main-02', false],
  ['overnight/a/main-2-3', false],
  ['overnight/a/mainx', false],
])('%s is of the family: %s', (name, expected) => {
  expect(isOfFamily(name, 'overnight/a/main')).toBe(expected)
})

test('why a push was refused', () => {
  expect(whyRefused('remote: a\nremote: b  \nTo /x\n ! [remote rejected] c -> d (hook declined)\nerror: failed')).toBe(
    'b',
  )
  expect(whyRefused('To /x\n ! [remote rejected] c -> d (deny updating a hidden ref)\nerror: failed to push')).toBe(
    'deny updating a hidden ref',
  )
})
