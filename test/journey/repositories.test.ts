import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, sandboxes, type Agent, type Crew, type Settled } from '../support/crew.ts'
import { commitFiles, createRepository, git, writeFiles } from '../support/git-repository.ts'
import { need } from '../support/need.ts'

// Repositories as people have them: each one works, or the run says what is wrong and what to do.
let crew: Crew
beforeAll(async () => {
  crew = await openCrew()
})
afterAll(() => crew[Symbol.asyncDispose]())

const folder = () => crew.place.folder
/** Everything of a repository that a run must not touch. */
const stateOf = (path: string) => ({
  status: git(path, 'status', '--porcelain=v2', '--branch', '--untracked-files=all', '--ignored'),
  staged: git(path, 'diff', '--cached'),
  changed: git(path, 'diff'),
  refs: git(path, 'for-each-ref', '--format=%(refname) %(objectname)')
    .split('\n')
    .filter((line) => !line.startsWith('refs/heads/overnight/')),
  settings: readFileSync(join(path, '.git/config'), 'utf8'),
})
const branches = (path: string) =>
  git(path, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/overnight').split('\n').filter(Boolean)
const writes = (text: string, file = 'note.md'): Agent => ({ sh: `printf '%s\\n' '${text}' > '${file}'` })
const at = (repository: string, more: Record<string, unknown> = {}): Agent => ({
  ...writes('written'),
  repository,
  more,
})
const pullOf = (ended: Settled) => basename(ended.pullRequest!.url)

async function act(pull: string, what: 'merge' | 'close') {
  const answer = await crew.service.fetch(`/v1/pulls/${pull}/${what}`, { method: 'POST' })
  return { status: answer.status, json: (await answer.json()) as { state?: string; detail?: string; hint?: string } }
}

describe('one that cannot be worked on', () => {
  const wrong: [name: string, make: (path: string) => Record<string, unknown> | void, says: RegExp][] = [
    ['missing', () => {}, /^there is no repository at \/.*\/missing – correct `repository:`$/],
    [
      'empty',
      (path) => createRepository(path) && void git(path, 'update-ref', '-d', 'refs/heads/main'),
      /\/empty is empty – make a first commit on a branch there$/,
    ],
    ['plain', (path) => mkdirSync(path), /\/plain is not a git repository – correct `repository:`, or run: git init /],
    ['file', (path) => writeFileSync(path, 'text'), /\/file is not a git repository/],
    [
      'broken',
      (path) => rmSync(join(createRepository(path), '.git/objects'), { recursive: true }),
      /\/broken (is not a git repository|could not be read)/,
    ],
    [
      'detached',
      (path) => void git(createRepository(path), 'checkout', '-q', '--detach'),
      /\/detached has no default branch: its HEAD is detached.* – write `base:` with the name of a branch/,
    ],
    [
      'other-base',
      (path) => (createRepository(path), { base: 'develop' }),
      /\/other-base has no branch "develop"; it has main – correct `base:`, or make the branch$/,
    ],
    [
      'inner',
      (path) => void createRepository(path, { 'docs/a.md': 'a' }),
      /\/inner\/docs is a folder inside the repository .*\/inner – write repository: ".*\/inner"$/,
    ],
  ]
  test.each(wrong)('%s: the run says so, and what to do', async (name, make, says) => {
    const path = join(folder(), name)
    const more = make(path) ?? {}
    const ended = await crew.run(`wrong-${name}`, at(name === 'inner' ? join(path, 'docs') : path, more))
    expect(ended).toMatchObject({
      state: 'failed',
      reason: 'no_checkout',
      message: expect.stringMatching(says),
      pullRequest: null,
    })
  })

  test.each([
    'https://user:secret@example.com/shop.git',
    'ssh://user:secret@example.com/shop',
    'git@example.com:shop.git',
  ])('somewhere else (%s): not available, with what to do, and no password is repeated', async (repository) => {
    const inFile = await crew.run('elsewhere', at(repository))
    const body = {
      file: join(folder(), 'elsewhere.md'),
      text: '---\nengine: { name: command, command: ["true"] }\n---\nDo it.\n',
    }
    const { run } = await crew.service.post<{ run: string }>('/v1/runs', { ...body, repository })
    for (const ended of [inFile, await crew.settled(run)]) {
      expect(ended).toMatchObject({ state: 'failed', reason: 'not_available' })
      expect(ended.message).toMatch(/is not a repository at github\.com – clone it and write the path/)
      expect(ended.message).not.toContain('secret')
    }
  })

  test('none named', async () => {
    const { run } = await crew.service.post<{ run: string }>('/v1/runs', {
      file: join(folder(), 'none.md'),
      text: '---\nengine: { name: command, command: ["true"] }\n---\nDo it.\n',
    })
    expect(await crew.settled(run)).toMatchObject({
      state: 'failed',
      reason: 'no_checkout',
      message: expect.stringContaining('add `repository:`'),
    })
  })

  const root = need(process.getuid?.() === 0 ? undefined : 'root, to give a repository to another user')
  test.skipIf(root.skip)(`of another user: the message has the command that trusts it${root.note}`, async () => {
    const path = crew.repository('somebody else’s')
    execFileSync('chown', ['-R', '65534:65534', path])
    const ended = await crew.run('not-mine', at(path))
    expect(ended).toMatchObject({
      state: 'failed',
      reason: 'no_checkout',
      message: expect.stringMatching(
        /belongs to another user – (git config --global --add safe\.directory '.*'( && )?){2}$/,
      ),
    })
    const command = ended.message!.slice(ended.message!.indexOf('git config'))
    execFileSync('sh', ['-c', command], { env: { PATH: crew.place.env['PATH'], HOME: crew.place.data } })
    expect(await crew.run('not-mine', at(path))).toMatchObject({ state: 'published' })
    rmSync(join(crew.place.data, '.gitconfig'))
  })
})

describe('one that is fine, however odd', () => {
  test('a dirty work tree: the base is what was committed, and nothing uncommitted is touched', async () => {
    const path = crew.repository('dirty', { 'a.md': 'a\n', 'b.md': 'b\n', '.gitignore': 'ignored\n' })
    writeFiles(path, { 'a.md': 'changed\n', 'new.md': 'new\n', ignored: 'x' })
    git(path, 'add', 'a.md')
    writeFiles(path, { 'a.md': 'changed again\n', 'b.md': 'also\n' })
    git(path, 'stash', 'create')
    const before = stateOf(path)
    const ended = await crew.run('dirty', { repository: path, sh: 'cat a.md b.md; ls -A; echo c > c.md' })
    expect(ended).toMatchObject({ state: 'published', files: 1 })
    expect(await crew.said(ended.run)).toBe('a\nb\n.git\n.gitignore\na.md\nb.md\n')
    expect(stateOf(path)).toEqual(before)
    expect(git(path, 'diff', '--name-only', 'main', ended.branch!)).toBe('c.md')
  })

  test.for([
    ['Müllers “shop” & söhne'],
    [`it's "quoted" $(touch pwned) \`id\` %s \\ ;|*?[x]`],
    ['-starts-with-a-dash'],
    ['shop.git'],
    ['日本語 🏪'],
  ])('a path like %s', async ([name]) => {
    const path = createRepository(join(folder(), 'odd', name!), { 'Ünï & "cödé".md': 'a\n', '-rf': 'b\n' })
    const ended = await crew.run('odd', { repository: path, ...writes('c', 'neu ß "x" y') })
    expect(ended).toMatchObject({ state: 'published', files: 1 })
    expect(await act(pullOf(ended), 'merge')).toMatchObject({ status: 200, json: { state: 'merged' } })
    expect(git(path, 'status', '--porcelain')).toBe('')
    const files = git(path, 'ls-files', '-z').split('\0').filter(Boolean)
    expect(files.sort()).toEqual(['-rf', 'neu ß "x" y', 'Ünï & "cödé".md'])
  })

  describe.for(sandboxes)('$title', ({ sandbox, skip }) => {
    test.skipIf(skip)('5,000 files', async () => {
      const files = Object.fromEntries(
        Array.from({ length: 5000 }, (_, index) => [
          `src/${index % 50}/file-${index}.ts`,
          `export const value${index} = ${index}\n`,
        ]),
      )
      const path = crew.repository(`large-${sandbox}`, files)
      const ended = await crew.run(`large-${sandbox}`, {
        ...at(path, { sandbox }),
        sh: 'git ls-files | wc -l; git status --short; echo changed > src/1/file-1.ts',
      })
      expect(ended).toMatchObject({ state: 'published', files: 1 })
      expect((await crew.said(ended.run)).trim()).toBe('5000')
      expect(ended.seconds).toBeLessThan(20)
    })
  })

  test('bare', async () => {
    const path = createRepository(join(folder(), 'bare source'))
    git(folder(), 'clone', '-q', '--bare', path, 'bare.git')
    const ended = await crew.run('bare', at(join(folder(), 'bare.git')))
    expect(ended).toMatchObject({ state: 'published', base: 'main' })
    expect(await act(pullOf(ended), 'merge')).toMatchObject({ status: 200 })
    expect(git(join(folder(), 'bare.git'), 'show', 'main:note.md')).toBe('written')
  })

  test('a detached HEAD with base:, and a base that is not the branch checked out', async () => {
    const path = crew.repository('detached with base')
    git(path, 'branch', 'develop')
    git(path, 'checkout', '-q', '--detach')
    const before = stateOf(path)
    const ended = await crew.run('detached-base', at(path, { base: 'develop' }))
    expect(ended).toMatchObject({ state: 'published', base: 'develop' })
    expect(await act(pullOf(ended), 'merge')).toMatchObject({ status: 200 })
    expect([git(path, 'show', 'develop:note.md'), git(path, 'rev-parse', 'main')]).toEqual([
      'written',
      git(path, 'rev-parse', 'HEAD'),
    ])
    expect(stateOf(path).status).toBe(before.status)
  })

  test('a path beside the routine file, and one beside the person', async () => {
    const path = crew.repository('relative/shop')
    mkdirSync(join(folder(), 'relative/routines'))
    const file = join(folder(), 'relative/routines/near.md')
    const text = `---\nrepository: ../shop\nengine: { name: command, command: ["sh", "-c", "echo near > near.md"] }\n---\nDo it.\n`
    writeFileSync(file, text)
    const { run } = await crew.service.post<{ run: string }>('/v1/runs', { file, text })
    expect(await crew.settled(run)).toMatchObject({ state: 'published' })
    crew.repository('elsewhere/shop')
    // The command's own folder is `folder()`.
    const told = await crew.place.overnight([
      'run',
      'relative/routines/near.md',
      '--repository',
      './elsewhere/shop',
      '--json',
    ])
    expect(told).toMatchObject({ code: 0 })
    expect(JSON.parse(told.stdout)).toMatchObject({ state: 'published' })
    expect([branches(path), branches(join(folder(), 'elsewhere/shop'))]).toEqual([
      ['overnight/near/main'],
      ['overnight/near/main'],
    ])
  })

  test('nobody has an identity: commits and merges are ours', async () => {
    const path = crew.repository('anonymous')
    const ended = await crew.run('anonymous', at(path))
    commitFiles(path, { 'other.md': 'meanwhile\n' })
    expect(await act(pullOf(ended), 'merge')).toMatchObject({ status: 200 })
    expect(git(path, 'log', '-1', '--format=%cn <%ce> %P', 'main').split(' ')).toHaveLength(4)
    expect(git(path, 'log', '-1', '--format=%cn <%ce>', 'main')).toBe('Overnight <overnight@localhost>')
    expect(git(path, 'status', '--porcelain')).toBe('')
  })
})

describe('merging', () => {
  test('into a clean work tree moves it; into a dirty one is refused, with what to do', async () => {
    const path = crew.repository('merges', { 'note.md': 'old\n' })
    const first = await crew.run('merges', at(path))
    writeFiles(path, { 'note.md': 'mine\n' })
    const before = stateOf(path)
    const refused = await act(pullOf(first), 'merge')
    expect(refused).toMatchObject({
      status: 409,
      json: {
        detail: expect.stringMatching(/has the base checked out with uncommitted changes \(note\.md\)/),
        hint: expect.stringContaining('commit or stash them there, then merge again'),
      },
    })
    expect(stateOf(path)).toEqual(before)
    git(path, 'checkout', '-q', 'note.md')
    expect(await act(pullOf(first), 'merge')).toMatchObject({ status: 200, json: { state: 'merged' } })
    expect([readFileSync(join(path, 'note.md'), 'utf8'), git(path, 'status', '--porcelain')]).toEqual(['written\n', ''])
    expect(await act(pullOf(first), 'merge')).toMatchObject({ status: 200, json: { state: 'merged' } })
  })

  test('an untracked file in the way is not overwritten', async () => {
    const path = crew.repository('in the way')
    const first = await crew.run('in-the-way', at(path))
    writeFiles(path, { 'note.md': 'nobody committed this\n' })
    expect(await act(pullOf(first), 'merge')).toMatchObject({
      status: 409,
      json: { detail: expect.stringContaining('note.md') },
    })
    expect(readFileSync(join(path, 'note.md'), 'utf8')).toBe('nobody committed this\n')
  })

  test('a conflict, a base that is gone, a repository that is gone: each is said', async () => {
    const path = crew.repository('moves on', { 'note.md': 'old\n' })
    const first = await crew.run('moves-on', at(path))
    commitFiles(path, { 'note.md': 'other\n' })
    expect(await act(pullOf(first), 'merge')).toMatchObject({
      status: 409,
      json: { detail: expect.stringMatching(/conflicts with main in note\.md/) },
    })
    git(path, 'checkout', '-q', '--detach')
    git(path, 'branch', '-qD', 'main')
    expect(await act(pullOf(first), 'merge')).toMatchObject({ status: 409, json: { detail: 'the base main is gone' } })
    rmSync(path, { recursive: true })
    const gone = await act(pullOf(first), 'merge')
    expect(gone).toMatchObject({ status: 409, json: { detail: expect.stringContaining('moves on') } })
    expect((await crew.service.fetch('/v1/pulls')).status).toBe(200)
    expect((await crew.service.fetch('/')).status).toBe(200)
  })
})

describe('pull requests of a routine', () => {
  test('an open one is updated; after a merge or a close the next has the next number', async () => {
    const path = crew.repository('numbers')
    const run = (text: string) => crew.run('numbers', { ...at(path), ...writes(text) })
    const first = await run('one')
    const updated = await run('two')
    expect([updated.pullRequest, updated.branch]).toEqual([first.pullRequest, 'overnight/numbers/main'])
    const same = await run('two')
    expect(same).toMatchObject({
      state: 'unchanged',
      pullRequest: first.pullRequest,
      message: 'the open pull request #1 already holds this change',
    })
    expect(git(path, 'rev-list', '--count', 'main..overnight/numbers/main')).toBe('1')
    await act(pullOf(updated), 'merge')
    expect(await run('two')).toMatchObject({
      state: 'unchanged',
      pullRequest: null,
      message: 'nothing needed changing',
    })
    const second = await run('three')
    expect(second).toMatchObject({ state: 'published', branch: 'overnight/numbers/main-2', pullRequest: { number: 2 } })
    await act(pullOf(second), 'close')
    const third = await run('three')
    expect(third).toMatchObject({ state: 'published', branch: 'overnight/numbers/main-3', pullRequest: { number: 3 } })
    expect(git(path, 'rev-parse', 'main')).toBe(git(path, 'rev-parse', `${third.branch}^`))
  })

  test('somebody else’s commit on the branch is not written over', async () => {
    const path = crew.repository('foreign')
    const first = await crew.run('foreign', at(path))
    git(path, 'checkout', '-q', first.branch!)
    const theirs = commitFiles(path, { 'theirs.md': 'mine\n' }, 'by hand')
    git(path, 'checkout', '-q', 'main')
    const second = await crew.run('foreign', { ...at(path), ...writes('other') })
    expect(second).toMatchObject({
      state: 'failed',
      reason: 'branch_has_other_commits',
      message: expect.stringMatching(/overnight\/foreign\/main holds commits that are not ours – merge or close/),
    })
    expect(git(path, 'rev-parse', first.branch!)).toBe(theirs)
    expect(await crew.diff(second.run)).toContain('+other')
    await act(pullOf(first), 'close')
    const { run } = await crew.service.post<{ run: string }>(`/v1/runs/${second.run}/retry`)
    expect(await crew.settled(run)).toMatchObject({ state: 'published', branch: 'overnight/foreign/main-2' })
  })

  test('a branch that stands in the way of ours', async () => {
    const path = crew.repository('blocked')
    git(path, 'branch', 'overnight')
    expect(await crew.run('blocked', at(path))).toMatchObject({
      state: 'failed',
      reason: 'push_refused',
      message: expect.stringMatching(
        /has a branch named overnight, so overnight\/blocked\/main cannot be made – rename it: git branch -m overnight /,
      ),
    })
  })

  test('our branch checked out by a person is not pulled from under them', async () => {
    const path = crew.repository('checked out')
    const first = await crew.run('checked-out', at(path))
    git(path, 'checkout', '-q', first.branch!)
    const before = stateOf(path)
    expect(await crew.run('checked-out', { ...at(path, { base: 'main' }), ...writes('other') })).toMatchObject({
      state: 'failed',
      reason: 'push_refused',
      message: expect.stringContaining('is checked out in the repository'),
    })
    expect(stateOf(path)).toEqual(before)
  })

  test('several routines at once', async () => {
    const path = crew.repository('shared')
    const names = ['one', 'two', 'three', 'four']
    const runs = await Promise.all(
      names.map((name) => crew.start(`shared-${name}`, { repository: path, ...writes(name, `${name}.md`) })),
    )
    const ended = await Promise.all(runs.map((run) => crew.settled(run)))
    expect(ended.map(({ state }) => state)).toEqual(names.map(() => 'published'))
    expect(ended.map(({ pullRequest }) => pullRequest!.number).sort()).toEqual([1, 2, 3, 4])
    expect(branches(path)).toEqual(names.map((name) => `overnight/shared-${name}/main`).sort())
    for (const one of ended) expect(await act(pullOf(one), 'merge')).toMatchObject({ status: 200 })
    expect(git(path, 'ls-files').split('\n')).toEqual(['README.md', ...names.map((name) => `${name}.md`)].sort())
  })
})

describe('the operator’s own hooks', () => {
  const hook = (path: string, name: string, script: string) => {
    const file = join(path, '.git/hooks', name)
    writeFiles(path, { [`.git/hooks/${name}`]: `#!/bin/sh\n${script}\n` })
    chmodSync(file, 0o755)
    return file
  }

  test.each(['pre-receive', 'update', 'reference-transaction'])(
    '%s refuses: its last line is the message, the change is kept, a retry publishes it without an agent',
    async (name) => {
      const path = crew.repository(`hook ${name}`)
      const file = hook(path, name, `echo 'looking' >&2; echo 'branches need a ticket: see the wiki' >&2; exit 1`)
      const ended = await crew.run(`hook-${name}`, at(path))
      expect(ended).toMatchObject({
        state: 'failed',
        reason: 'push_refused',
        pullRequest: null,
        message: expect.stringMatching(/refused overnight\/hook-.*\/main: branches need a ticket: see the wiki$/),
      })
      expect(await crew.diff(ended.run)).toContain('+written')
      expect(branches(path)).toEqual([])
      rmSync(file)
      const { run } = await crew.service.post<{ run: string }>(`/v1/runs/${ended.run}/retry`)
      expect(await crew.settled(run)).toMatchObject({
        state: 'published',
        branch: `overnight/hook-${name}/main`,
        files: 1,
      })
      expect(await crew.said(run)).toBe('')
    },
  )

  test('one that never ends: cancelling ends it, and the routine is free again', async () => {
    const path = crew.repository('hook hangs')
    const file = hook(path, 'pre-receive', 'sleep 8123.5')
    const run = await crew.start('hook-hangs', at(path))
    await crew.reaches(run, 'publishing')
    const asked = performance.now()
    await crew.service.post(`/v1/runs/${run}/cancel`)
    expect(await crew.settled(run)).toMatchObject({ state: 'cancelled' })
    expect(performance.now() - asked).toBeLessThan(5000)
    rmSync(file)
    await crew.nothingLeft(run)
    expect(await crew.run('hook-hangs', at(path))).toMatchObject({ state: 'published' })
  })
})
