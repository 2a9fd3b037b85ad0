import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commitFiles, createRepository, git, writeFiles } from '../support/git-repository.ts'
import { openCheckout } from '../support/open-checkout.ts'

const files = {
  'README.md': '# Shop\n',
  'src/index.ts': 'export const one = 1\n',
  '.gitignore': 'node_modules/\n*.log\n',
  'crlf.txt': 'a\r\nb\r\n',
  '.gitattributes': '* text=auto\n*.ts eol=crlf\n',
}

async function changesAfter(act: (tree: string) => void) {
  using opened = await openCheckout({ files })
  act(opened.checkout.tree)
  const patch = await opened.collect()
  if (!patch) return null
  await using quarantine = await opened.openPatch(patch)
  const changes = await quarantine.changes()
  return { tree: patch.tree, changes: changes.map(({ path, status, newMode }) => `${status} ${newMode} ${path}`) }
}

const edit = (tree: string) => {
  writeFiles(tree, { 'README.md': '# Shop\n\nNew.\n', 'src/new.ts': 'export const two = 2\n', 'debug.log': 'noise\n' })
  rmSync(join(tree, 'src/index.ts'))
}
const commitAll = (tree: string) => git(tree, 'commit', '--quiet', '--all', '-m', 'mine')

describe('what the agent left is one patch', () => {
  test('an untouched tree is no patch, line ends of every kind included', async () => {
    expect(await changesAfter(() => {})).toBeNull()
  })

  test('no attribute of the repository makes a change nobody made', async () => {
    using opened = await openCheckout({
      source: (folder) => {
        const source = createRepository(join(folder, 'shop'), {
          'crlf.txt': 'a\r\nb\r\n',
          'id.txt': '$Id: old $\n',
          'lf.bat': 'a\n',
        })
        commitFiles(source, { '.gitattributes': '* text=auto\n*.bat eol=crlf\nid.txt ident\n' })
        return source
      },
    })
    const { tree } = opened.checkout
    expect(await opened.collect()).toBeNull()
    for (const name of ['crlf.txt', 'id.txt', 'lf.bat']) writeFileSync(join(tree, name), readFileSync(join(tree, name)))
    expect(await opened.collect()).toBeNull()
    expect(git(tree, 'status', '--porcelain')).toBe('')
  })

  const ways: [string, (tree: string) => void][] = [
    ['uncommitted', () => {}],
    ['staged', (tree) => git(tree, 'add', '--all')],
    ['committed', (tree) => (git(tree, 'add', '--all'), commitAll(tree))],
    [
      'committed on another branch',
      (tree) => (git(tree, 'switch', '-qc', 'other'), git(tree, 'add', '-A'), commitAll(tree)),
    ],
    ['half committed', (tree) => (git(tree, 'add', 'README.md'), git(tree, 'commit', '-qm', 'half'))],
    ['stashed index', (tree) => git(tree, 'update-index', '--assume-unchanged', 'README.md')],
    ['without .git', (tree) => rmSync(join(tree, '.git'), { recursive: true })],
    ['with a fresh .git', (tree) => (rmSync(join(tree, '.git'), { recursive: true }), git(tree, 'init', '-q'))],
    [
      'with a .git that is garbage',
      (tree) => (rmSync(join(tree, '.git'), { recursive: true }), writeFileSync(join(tree, '.git'), 'x')),
    ],
  ]
  test('the same however it was left', async () => {
    const expected = ['modified 100644 README.md', 'deleted 000000 src/index.ts', 'added 100644 src/new.ts']
    const trees = new Set<string>()
    for (const [name, way] of ways) {
      const left = await changesAfter((tree) => (edit(tree), way(tree)))
      expect({ name, changes: left?.changes }).toEqual({ name, changes: expected })
      trees.add(left!.tree)
    }
    expect(trees.size).toBe(1)
  })

  test('everything deleted', async () => {
    const left = await changesAfter((tree) => {
      for (const name of ['README.md', 'src', '.gitignore', 'crlf.txt', '.gitattributes'])
        rmSync(join(tree, name), { recursive: true })
    })
    expect(left?.changes).toHaveLength(5)
  })

  test('a folder becomes a file, a file a folder, a file a link', async () => {
    const left = await changesAfter((tree) => {
      rmSync(join(tree, 'src'), { recursive: true })
      writeFileSync(join(tree, 'src'), 'now a file\n')
      rmSync(join(tree, 'README.md'))
      mkdirSync(join(tree, 'README.md'))
      writeFileSync(join(tree, 'README.md', 'part'), 'x\n')
      rmSync(join(tree, 'crlf.txt'))
      symlinkSync('/etc/passwd', join(tree, 'crlf.txt'))
    })
    expect(left?.changes).toEqual([
      'deleted 000000 README.md',
      'added 100644 README.md/part',
      'type_changed 120000 crlf.txt',
      'added 100644 src',
      'deleted 000000 src/index.ts',
    ])
  })

  test('an executable bit and a name of every kind', async () => {
    const left = await changesAfter((tree) => {
      chmodSync(join(tree, 'src/index.ts'), 0o755)
      writeFiles(tree, { 'a\nb': 'x', '-rf': 'x', 'ü €.txt': 'x', 'quote\'"': 'x' })
    })
    expect(left?.changes).toEqual([
      'added 100644 -rf',
      'added 100644 a\nb',
      `added 100644 quote'"`,
      'modified 100755 src/index.ts',
      'added 100644 ü €.txt',
    ])
  })

  test('collecting twice gives the same patch', async () => {
    using opened = await openCheckout({ files })
    edit(opened.checkout.tree)
    const [first, second] = [await opened.collect(), await opened.collect()]
    expect(second).toEqual(first)
  })

  test('a line in a large file is a small pack', async () => {
    const large = Array.from({ length: 20_000 }, (_, line) => `${line} ${line ** 2}\n`).join('')
    using opened = await openCheckout({ files: { 'large.txt': large } })
    writeFiles(opened.checkout.tree, { 'large.txt': `${large}one more\n` })
    const patch = await opened.collect()
    expect(patch!.pack.length).toBeLessThan(2000)
    await using quarantine = await opened.openPatch(patch!)
    expect(await quarantine.changes()).toMatchObject([
      { path: 'large.txt', added: 1, removed: 0, bytes: large.length + 9 },
    ])
  })
})

describe('the copy is the agent’s own', () => {
  test('it can commit, and sees one branch and a remote that is only a name', async () => {
    using opened = await openCheckout({ files })
    const { tree } = opened.checkout
    expect(execFileSync('git', ['status', '--porcelain'], { cwd: tree, encoding: 'utf8' })).toBe('')
    expect(git(tree, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main')
    expect(git(tree, 'remote', '--verbose')).toMatch(/^origin\tovernight:\/\/repository \(fetch\)\n[^\n]*$/)
    const env = { PATH: process.env['PATH']!, HOME: '/nonexistent' }
    execFileSync('git', ['commit', '--allow-empty', '-qm', 'mine'], { cwd: tree, env })
    expect(git(tree, 'log', '-1', '--format=%ae')).toBe('overnight@localhost')
    expect(git(opened.source, 'rev-parse', 'main')).toBe(opened.base.commit)
  })

  test('a finished one is found again, an unfinished one is not', async () => {
    using opened = await openCheckout({ files })
    const folder = join(opened.folder, 'work', 'run-1')
    expect(await opened.checkouts.findCheckout(folder)).toEqual(opened.checkout)
    rmSync(join(folder, 'checkout.json'))
    expect(await opened.checkouts.findCheckout(folder)).toBeUndefined()
    const again = await opened.checkouts.createCheckout({ ...opened, folder })
    expect(again).toEqual(opened.checkout)
  })
})
