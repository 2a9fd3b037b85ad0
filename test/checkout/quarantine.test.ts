import { execFileSync } from 'node:child_process'
import { existsSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { parseChanges, splitChanges } from '../../src/checkout/changes.ts'
import { type Patch, patchCapBytes } from '../../src/checkout/patch.ts'
import { git, gitEnvironment, writeFiles } from '../support/git-repository.ts'
import { openHostSandbox } from '../support/host-sandbox.ts'
import { openCheckout } from '../support/open-checkout.ts'

type Opened = Awaited<ReturnType<typeof openCheckout>>

/** A patch as a hostile collector would write it: any tree, any objects. */
function forge(opened: Opened, tree: string, extra: readonly string[] = []): Patch {
  const cwd = opened.source
  const pack = execFileSync('git', ['pack-objects', '--quiet', '--stdout'], {
    cwd,
    env: gitEnvironment,
    input: [tree, ...extra].map((id) => `${id}\n`).join(''),
  })
  return { base: opened.base.commit, tree, pack }
}
const hash = (cwd: string, type: string, input: Buffer | string) =>
  execFileSync('git', ['hash-object', '-w', '--literally', '--stdin', '-t', type], {
    cwd,
    env: gitEnvironment,
    input,
    encoding: 'utf8',
  }).trim()
const entry = (mode: string, name: string, id: string) =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')])

describe('what is no honest patch is refused by name', () => {
  const trees: [string, (blob: string) => Buffer][] = [
    ['.git', (blob) => entry('100644', '.git', blob)],
    ['.GiT', (blob) => entry('100644', '.GiT', blob)],
    ['git~1', (blob) => entry('100644', 'git~1', blob)],
    ['.g\u200Cit', (blob) => entry('100644', '.g\u200Cit', blob)],
    ['..', (blob) => entry('100644', '..', blob)],
    ['a path with a slash', (blob) => entry('100644', 'a/../../b', blob)],
    ['the same name twice', (blob) => Buffer.concat([entry('100644', 'a', blob), entry('100644', 'a', blob)])],
    ['names out of order', (blob) => Buffer.concat([entry('100644', 'b', blob), entry('100644', 'a', blob)])],
    ['a .gitmodules link', (blob) => entry('120000', '.gitmodules', blob)],
    ['an empty name', (blob) => entry('100644', '', blob)],
  ]
  test.each(trees)('a tree with %s', async (_, make) => {
    using opened = await openCheckout()
    const blob = hash(opened.source, 'blob', 'x')
    const tree = hash(opened.source, 'tree', make(blob))
    await expect(opened.openPatch(forge(opened, tree, [blob]))).rejects.toMatchObject({ reason: 'patch_invalid' })
    expect(existsSync(join(opened.folder, 'work', 'quarantine'))).toBe(false)
  })

  test('a .gitmodules that runs a command', async () => {
    using opened = await openCheckout()
    const blob = hash(opened.source, 'blob', '[submodule "../x"]\n\tpath = x\n\turl = --upload-pack=touch\n')
    const tree = hash(opened.source, 'tree', entry('100644', '.gitmodules', blob))
    await expect(opened.openPatch(forge(opened, tree, [blob]))).rejects.toMatchObject({ reason: 'patch_invalid' })
  })

  test('objects that are missing, garbage, another base, another tree', async () => {
    using opened = await openCheckout()
    const blob = hash(opened.source, 'blob', 'x')
    const tree = hash(opened.source, 'tree', entry('100644', 'a', blob))
    const good = forge(opened, tree, [blob])
    const bad: Patch[] = [
      forge(opened, tree),
      { ...good, pack: Buffer.from('PACK garbage') },
      { ...good, pack: good.pack.subarray(0, -30) },
      { ...good, tree: blob },
      { ...good, tree: 'f'.repeat(40) },
      { ...good, tree: '--all' },
      { ...good, base: tree },
      { ...good, base: 'e'.repeat(40) },
    ]
    for (const patch of bad) await expect(opened.openPatch(patch)).rejects.toMatchObject({ reason: 'patch_invalid' })
    await using quarantine = await opened.openPatch(good)
    expect((await quarantine.changes()).map(({ path }) => path)).toEqual(['README.md', 'a'])
  })

  test('a base that only the pack has', async () => {
    using opened = await openCheckout()
    const own = git(opened.source, 'commit-tree', 'HEAD^{tree}', '-m', 'of the agent')
    const tree = git(opened.source, 'rev-parse', 'HEAD^{tree}')
    const patch = { ...forge(opened, tree, [own]), base: own }
    await expect(opened.openPatch(patch)).rejects.toMatchObject({ reason: 'patch_invalid' })
  })

  test('a tree of ten thousand million files in a pack of kilobytes', async () => {
    using opened = await openCheckout()
    const blob = hash(opened.source, 'blob', 'x')
    const ids = [blob]
    for (let depth = 0; depth < 10; depth += 1) {
      const mode = depth === 0 ? '100644' : '40000'
      ids.push(
        hash(
          opened.source,
          'tree',
          Buffer.concat(Array.from('0123456789').map((name) => entry(mode, name, ids.at(-1)!))),
        ),
      )
    }
    await expect(opened.openPatch(forge(opened, ids.at(-1)!, ids))).rejects.toMatchObject({ reason: 'too_large' })
  })
})

describe('reading a patch', () => {
  test('counts, sizes, modes and names of every kind', async () => {
    using opened = await openCheckout({
      files: { 'a.txt': '1\n2\n3\n', 'b.bin': 'x\0y', 'gone.txt': 'x\n', 'move.txt': 'same\n'.repeat(50) },
    })
    const { tree } = opened.checkout
    writeFiles(tree, {
      'a.txt': '1\ntwo\n3\n4\n',
      'b.bin': 'x\0yz',
      'ü\tn\n.txt': 'new\n',
      'moved.txt': 'same\n'.repeat(50),
    })
    execFileSync('rm', [join(tree, 'gone.txt'), join(tree, 'move.txt')])
    writeFileSync(Buffer.concat([Buffer.from(join(tree, 'bad-')), Buffer.from([0xff])]), 'x')
    await using quarantine = await opened.openPatch((await opened.collect())!)
    expect(await quarantine.changes()).toEqual([
      {
        path: 'a.txt',
        status: 'modified',
        oldMode: '100644',
        newMode: '100644',
        bytes: 10,
        added: 2,
        removed: 1,
        binary: false,
      },
      {
        path: 'b.bin',
        status: 'modified',
        oldMode: '100644',
        newMode: '100644',
        bytes: 4,
        added: 0,
        removed: 0,
        binary: true,
      },
      {
        path: 'bad-\u{FFFD}',
        status: 'added',
        oldMode: '000000',
        newMode: '100644',
        bytes: 1,
        added: 1,
        removed: 0,
        binary: false,
      },
      {
        path: 'gone.txt',
        status: 'deleted',
        oldMode: '100644',
        newMode: '000000',
        bytes: 0,
        added: 0,
        removed: 1,
        binary: false,
      },
      {
        path: 'move.txt',
        status: 'deleted',
        oldMode: '100644',
        newMode: '000000',
        bytes: 0,
        added: 0,
        removed: 50,
        binary: false,
      },
      {
        path: 'moved.txt',
        status: 'added',
        oldMode: '000000',
        newMode: '100644',
        bytes: 250,
        added: 50,
        removed: 0,
        binary: false,
      },
      {
        path: 'ü\tn\n.txt',
        status: 'added',
        oldMode: '000000',
        newMode: '100644',
        bytes: 4,
        added: 1,
        removed: 0,
        binary: false,
      },
    ])
    const { text, cut } = await quarantine.diff(100_000)
    expect(text).toContain('rename from move.txt')
    expect(cut).toBe(false)
  })

  test('a commit has the same id whenever it is made', async () => {
    using opened = await openCheckout()
    writeFiles(opened.checkout.tree, { a: 'a' })
    const patch = (await opened.collect())!
    const ids = new Set<string>()
    for (let time = 0; time < 3; time += 1) {
      await using quarantine = await opened.openPatch(patch)
      ids.add(
        await quarantine.commit({
          parent: patch.base,
          message: 'Title\n\nOvernight-Run: run-1\n',
          date: new Date(1_700_000_000_000),
        }),
      )
      const [id] = [...ids]
      expect(await quarantine.findCommit(id!)).toEqual({
        tree: patch.tree,
        parents: [patch.base],
        committerEmail: 'overnight@localhost',
        trailers: ['run-1'],
      })
      expect(await quarantine.findCommit('a'.repeat(40))).toBeUndefined()
    }
    expect(ids.size).toBe(1)
  })

  test('everything deleted is a patch without objects of its own, or with only the empty tree', async () => {
    using opened = await openCheckout()
    execFileSync('rm', [join(opened.checkout.tree, 'README.md')])
    await using quarantine = await opened.openPatch((await opened.collect())!)
    expect(await quarantine.changes()).toMatchObject([{ path: 'README.md', status: 'deleted' }])
  })
})

describe('sizes', () => {
  test('more than the cap of bytes that do not compress is too large, and memory stays small', async () => {
    using opened = await openCheckout()
    const { tree } = opened.checkout
    for (const name of ['one', 'two']) {
      execFileSync('head', ['-c', String(patchCapBytes / 2 + 1_000_000), '/dev/urandom'], {
        stdio: ['ignore', openSync(join(tree, name), 'w'), 'ignore'],
      })
    }
    const before = process.memoryUsage().rss
    await expect(opened.collect()).rejects.toMatchObject({
      reason: 'too_large',
      message: expect.stringMatching(/^the change is larger than 64 MiB/),
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(4 * patchCapBytes)
  })

  test('twenty thousand new files and one', async () => {
    using opened = await openCheckout()
    execFileSync('sh', ['-c', 'mkdir many && cd many && seq 20001 | xargs touch'], { cwd: opened.checkout.tree })
    await expect(opened.collect()).rejects.toMatchObject({
      reason: 'too_large',
      message: 'there are too many new files',
    })
  })

  test('stopping ends the collector and what it started', async () => {
    using opened = await openCheckout()
    const stop = new AbortController()
    execFileSync('sh', ['-c', 'mkdir many && cd many && seq 20000 | xargs touch'], { cwd: opened.checkout.tree })
    const request = { ...opened, sandbox: openHostSandbox(), signal: stop.signal }
    const collecting = opened.checkouts.collectPatch(request).catch((error: unknown) => error)
    const index = join(opened.checkout.gitDir, 'index.lock')
    await vi.waitFor(() => expect(existsSync(index)).toBe(true), { timeout: 20_000, interval: 5 })
    stop.abort(new Error('stopped'))
    expect(await collecting).toMatchObject({ message: 'stopped' })
    const again = (await opened.collect())!
    await using quarantine = await opened.openPatch(again)
    expect(await quarantine.changes()).toHaveLength(20_000)
  })
})

test('sizes and counts are joined by path and order', () => {
  const id = 'a'.repeat(40)
  const raw = Buffer.from(
    `:000000 160000 ${'0'.repeat(40)} ${id} A\0lib\0:100644 000000 ${id} ${'0'.repeat(40)} D\0old\0`,
  )
  const sizes = [`${id} missing`, '0'.repeat(40)]
  expect(parseChanges({ raw, numbers: Buffer.from('1\t0\tlib\u00000\t3\told\0'), sizes })).toMatchObject([
    { path: 'lib', bytes: 0, newMode: '160000', added: 1 },
    { path: 'old', bytes: 0, removed: 3, status: 'deleted' },
  ])
})

test.each([[[]], [['a']], [[':', ':x', '1\t2\t:']]])(
  'the two parts of what git tells are taken apart at %j',
  (names) => {
    const id = 'a'.repeat(40)
    const raw = names.map((name) => `:100644 100644 ${id} ${id} M\0${name}\0`).join('')
    const numbers = names.map((name) => `1\t1\t${name}\0`).join('')
    const told = splitChanges(Buffer.from(raw + numbers))
    expect([told.raw.toString(), told.numbers.toString()]).toEqual([raw, numbers])
  },
)
