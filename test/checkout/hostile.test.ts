import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createLocalForge } from '../../src/forges/local.ts'
import { createOperator, git, makePipe, writeFiles } from '../support/git-repository.ts'
import { openCheckout } from '../support/open-checkout.ts'
import { createPullRecords } from '../support/pull-records.ts'

const files = {
  'README.md': '# Shop\n',
  'src/index.ts': 'export const one = 1\n',
  'data.bin': 'a\0b\n',
}

/** What the agent does in its tree. `canary` is a program that leaves a mark wherever it is run. */
type Trap = {
  name: string
  lay: (tree: string, canary: string) => void
  /** Changes beyond the honest edit of README.md; or the named ending. */
  leaves: string[] | 'patch_invalid' | 'too_large'
  /** An ordinary git on this tree runs the canary: the trap is real. */
  springs?: true
}

const config = (tree: string, text: string) => appendFileSync(join(tree, '.git', 'config'), text)
const hooks = [
  'pre-commit',
  'post-checkout',
  'prepare-commit-msg',
  'reference-transaction',
  'post-index-change',
  'pre-push',
  'post-commit',
]
function layHooks(folder: string, canary: string): void {
  mkdirSync(folder, { recursive: true })
  for (const hook of hooks) {
    writeFileSync(join(folder, hook), `#!/bin/sh\n${canary}\n`)
    chmodSync(join(folder, hook), 0o755)
  }
}
const layFilter = (tree: string, canary: string, attributes = 'README.md filter=trap diff=trap merge=trap\n') => {
  const lines = ['clean', 'smudge', 'process'].map((verb) => `\t${verb} = ${canary}\n`).join('')
  const drivers = `[diff "trap"]\n\ttextconv = ${canary}\n\tcommand = ${canary}\n[merge "trap"]\n\tdriver = ${canary}\n`
  config(tree, `[filter "trap"]\n${lines}${drivers}`)
  rmSync(join(tree, '.git/info/attributes'))
  if (attributes) writeFileSync(join(tree, '.gitattributes'), attributes)
}
function layNested(folder: string, canary: string): void {
  mkdirSync(folder, { recursive: true })
  git(folder, 'init', '--quiet')
  writeFileSync(join(folder, 'inner.txt'), 'inner\n')
  git(folder, 'add', '.')
  git(folder, 'commit', '--quiet', '-m', 'inner')
  appendFileSync(join(folder, '.git', 'config'), `[core]\n\tfsmonitor = ${canary}\n`)
}

const traps: Trap[] = [
  {
    name: 'core.fsmonitor',
    lay: (tree, canary) => config(tree, `[core]\n\tfsmonitor = ${canary}\n`),
    leaves: [],
    springs: true,
  },
  { name: 'hooks', lay: (tree, canary) => layHooks(join(tree, '.git', 'hooks'), canary), leaves: [], springs: true },
  {
    name: 'core.hooksPath inside the tree',
    lay: (tree, canary) => (config(tree, '[core]\n\thooksPath = hooks\n'), layHooks(join(tree, 'hooks'), canary)),
    leaves: hooks.map((hook) => `added hooks/${hook}`).toSorted(),
    springs: true,
  },
  { name: 'filters', lay: layFilter, leaves: ['added .gitattributes'], springs: true },
  {
    name: 'filters by info/attributes',
    lay: (tree, canary) => (
      layFilter(tree, canary, ''),
      writeFileSync(join(tree, '.git/info/attributes'), '* filter=trap diff=trap\n')
    ),
    leaves: [],
    springs: true,
  },
  {
    name: 'a required filter that fails',
    lay: (tree) => (
      config(tree, '[filter "trap"]\n\tclean = false\n\trequired\n'),
      writeFileSync(join(tree, '.gitattributes'), '* filter=trap\n')
    ),
    leaves: ['added .gitattributes'],
  },
  {
    name: 'diff.external',
    lay: (tree, canary) => config(tree, `[diff]\n\texternal = ${canary}\n`),
    leaves: [],
    springs: true,
  },
  {
    name: 'core.pager and core.editor',
    lay: (tree, canary) => config(tree, `[core]\n\tpager = ${canary}\n\teditor = ${canary}\n`),
    leaves: [],
  },
  {
    name: 'include of a file in the tree',
    lay: (tree, canary) => (
      config(tree, '[include]\n\tpath = ../more\n'),
      writeFileSync(join(tree, 'more'), `[core]\n\tfsmonitor = ${canary}\n`)
    ),
    leaves: ['added more'],
    springs: true,
  },
  {
    name: 'includeIf',
    lay: (tree, canary) => (
      config(tree, '[includeIf "gitdir:**"]\n\tpath = x\n'),
      writeFileSync(join(tree, '.git/x'), `[core]\n\tfsmonitor = ${canary}\n`)
    ),
    leaves: [],
    springs: true,
  },
  {
    name: 'an alias for every verb',
    lay: (tree, canary) => config(tree, `[alias]\n\tst = !${canary}\n\tadd = !${canary}\n`),
    leaves: [],
  },
  {
    name: 'commit.gpgSign',
    lay: (tree, canary) => config(tree, `[commit]\n\tgpgSign\n[gpg]\n\tprogram = ${canary}\n`),
    leaves: [],
    springs: true,
  },
  {
    name: 'credential.helper and askPass',
    lay: (tree, canary) => config(tree, `[credential]\n\thelper = !${canary}\n[core]\n\taskPass = ${canary}\n`),
    leaves: [],
  },
  {
    name: 'pushInsteadOf and ext::',
    lay: (tree, canary) =>
      config(tree, `[url "ext::${canary} "]\n\tpushInsteadOf = /\n\tinsteadOf = /\n[protocol]\n\tallow = always\n`),
    leaves: [],
  },
  { name: 'core.worktree=/', lay: (tree) => config(tree, '[core]\n\tworktree = /\n'), leaves: [] },
  {
    name: 'core.alternateRefsCommand',
    lay: (tree, canary) => config(tree, `[core]\n\talternateRefsCommand = ${canary}\n`),
    leaves: [],
  },
  {
    name: 'a .git file that leads to a repository of the agent',
    lay(tree, canary) {
      renameSync(join(tree, '.git'), join(tree, 'own'))
      writeFileSync(join(tree, '.git'), 'gitdir: own\n')
      appendFileSync(join(tree, 'own', 'config'), `[core]\n\tfsmonitor = ${canary}\n`)
      writeFileSync(join(tree, '.gitignore'), 'own/\n')
    },
    leaves: ['added .gitignore'],
    springs: true,
  },
  {
    name: 'a .git link',
    lay: (tree) => (rmSync(join(tree, '.git'), { recursive: true }), symlinkSync('/etc', join(tree, '.git'))),
    leaves: [],
  },
  { name: 'no .git', lay: (tree) => rmSync(join(tree, '.git'), { recursive: true }), leaves: [] },
  {
    name: 'alternates to elsewhere',
    lay: (tree) => writeFileSync(join(tree, '.git/objects/info/alternates'), '/etc\n/proc/self\n'),
    leaves: [],
  },
  {
    name: 'replace refs and grafts',
    lay(tree) {
      git(tree, 'commit', '--quiet', '--allow-empty', '-m', 'other')
      git(tree, 'replace', 'HEAD~1', 'HEAD')
      writeFileSync(join(tree, '.git/info/grafts'), `${git(tree, 'rev-parse', 'HEAD')}\n`)
    },
    leaves: [],
  },
  { name: 'a locked index', lay: (tree) => writeFileSync(join(tree, '.git/index.lock'), ''), leaves: [] },
  {
    name: 'a split, sparse index of garbage',
    lay: (tree) => writeFileSync(join(tree, '.git/index'), 'DIRCgarbage'),
    leaves: [],
  },
  {
    name: 'info/exclude hides everything',
    lay: (tree) => writeFileSync(join(tree, '.git/info/exclude'), '*\n'),
    leaves: [],
  },
  {
    name: 'a nested repository',
    lay: (tree, canary) => layNested(join(tree, 'vendor/inner'), canary),
    leaves: ['added vendor/inner/inner.txt'],
  },
  {
    name: 'a nested repository without commits',
    lay: (tree) => (git(tree, 'init', '-q', 'inner'), writeFileSync(join(tree, 'inner/a'), 'a')),
    leaves: ['added inner/a'],
  },
  {
    name: 'a nested .git file',
    lay: (tree) => writeFiles(tree, { 'sub/.git': 'gitdir: /etc\n', 'sub/a': 'a' }),
    leaves: ['added sub/a'],
  },
  {
    name: '.gitmodules with an update command',
    lay: (tree, canary) =>
      writeFileSync(
        join(tree, '.gitmodules'),
        `[submodule "x"]\n\tpath = x\n\turl = ext::${canary}\n\tupdate = !${canary}\n`,
      ),
    leaves: 'patch_invalid',
  },
  {
    name: '.lfsconfig and an lfs filter',
    lay: (tree) =>
      writeFiles(tree, {
        '.lfsconfig': '[lfs]\n\turl = http://127.0.0.1:1/\n',
        '.gitattributes': '* filter=lfs diff=lfs -text\n',
      }),
    leaves: ['added .gitattributes', 'added .lfsconfig'],
  },
  {
    name: 'attributes that hide the diff',
    lay: (tree) => writeFileSync(join(tree, '.gitattributes'), '* -diff linguist-generated\n'),
    leaves: ['added .gitattributes'],
  },
  {
    name: 'an encoding that does not exist',
    lay: (tree) => writeFileSync(join(tree, '.gitattributes'), '* working-tree-encoding=no-such\n'),
    leaves: ['added .gitattributes'],
  },
  {
    name: 'a link to a secret',
    lay: (tree) => symlinkSync('/proc/self/environ', join(tree, 'env')),
    leaves: ['added env'],
  },
  {
    name: 'a folder link out of the tree',
    lay: (tree) => (rmSync(join(tree, 'src'), { recursive: true }), symlinkSync('/etc', join(tree, 'src'))),
    leaves: ['added src', 'deleted src/index.ts'],
  },
  {
    name: 'a link named .gitattributes',
    lay: (tree) => symlinkSync('/etc/passwd', join(tree, '.gitattributes')),
    leaves: ['added .gitattributes'],
  },
  {
    name: 'a link named .gitmodules',
    lay: (tree) => symlinkSync('/etc/passwd', join(tree, '.gitmodules')),
    leaves: 'patch_invalid',
  },
  {
    name: 'a pipe for a file',
    lay: (tree) => (rmSync(join(tree, 'src/index.ts')), makePipe(join(tree, 'src/index.ts'))),
    leaves: 'patch_invalid',
  },
  { name: 'a new pipe', lay: (tree) => makePipe(join(tree, 'pipe')), leaves: [] },
  {
    name: 'a pipe named .gitignore',
    lay: (tree) => makePipe(join(tree, 'src/.gitignore')),
    leaves: 'patch_invalid',
  },
  {
    name: 'a pipe named .gitattributes',
    lay: (tree) => makePipe(join(tree, '.gitattributes')),
    leaves: 'patch_invalid',
  },
  {
    name: '.GIT, as NTFS would read it',
    lay: (tree, canary) => writeFiles(tree, { '.GIT/config': `[core]\n\tfsmonitor = ${canary}\n` }),
    leaves: 'patch_invalid',
  },
  {
    name: 'git~1, as NTFS would read it',
    lay: (tree) => writeFiles(tree, { 'git~1/config': 'x' }),
    leaves: 'patch_invalid',
  },
  {
    name: '.g\u200Cit, as HFS would read it',
    lay: (tree) => writeFiles(tree, { '.g\u200Cit/config': 'x' }),
    leaves: 'patch_invalid',
  },
  {
    name: 'a file of one terabyte',
    lay: (tree) => (writeFileSync(join(tree, 'big'), ''), truncateSync(join(tree, 'big'), 2 ** 40)),
    leaves: 'too_large',
  },
  {
    name: 'an ignored file of one terabyte',
    lay: (tree) => (writeFiles(tree, { '.gitignore': 'big\n', big: '' }), truncateSync(join(tree, 'big'), 2 ** 40)),
    leaves: ['added .gitignore'],
  },
  {
    name: 'a .gitignore of one gigabyte',
    lay: (tree) => (writeFileSync(join(tree, '.gitignore'), ''), truncateSync(join(tree, '.gitignore'), 2 ** 30)),
    leaves: 'patch_invalid',
  },
  {
    name: 'the whole tree replaced by a link',
    lay: (tree) => (rmSync(tree, { recursive: true }), symlinkSync('/etc', tree)),
    leaves: 'patch_invalid',
  },
  {
    name: 'names that look like options and commands',
    lay: (tree, canary) =>
      writeFiles(tree, { '--upload-pack=x': 'x', [`$(${canary.replaceAll('/', ':')})`]: 'x', '-c': 'x' }),
    leaves: [expect.any(String), expect.any(String), expect.any(String)] as string[],
  },
]

const leftBehind = (leaves: Trap['leaves']) =>
  typeof leaves === 'string'
    ? expect.objectContaining({ reason: leaves, message: expect.stringMatching(/^.{10,300}$/) })
    : { changes: [...leaves, 'modified README.md'].toSorted(), diff: expect.stringContaining('+# Better shop') }

function useOrdinaryGit(tree: string): void {
  const commit = ['commit', '--message=x']
  for (const args of [
    ['status'],
    ['diff'],
    ['add', '-A'],
    [...commit, '--no-gpg-sign'],
    [...commit, '--allow-empty'],
  ]) {
    spawnSync('git', args, { cwd: tree, env: { PATH: process.env['PATH'], HOME: '/nonexistent' }, timeout: 20_000 })
  }
}

describe('traps that an agent lays for whoever reads its tree', () => {
  test.each(traps)('$name', async ({ lay, leaves, springs }) => {
    using opened = await openCheckout({ files })
    // Without spaces, so that it can stand wherever git takes a command.
    const marks = mkdtempSync(join(tmpdir(), 'marks-'))
    onTestFinished(() => rmSync(marks, { recursive: true }))
    const canary = join(marks, '.canary')
    writeFileSync(canary, `#!/bin/sh\necho run > '${marks}'/$$\n`)
    chmodSync(canary, 0o755)
    const marked = () => readdirSync(marks).filter((name) => name !== '.canary')
    const { tree } = opened.checkout
    writeFiles(tree, { 'README.md': '# Better shop\n' })
    lay(tree, canary)
    const laid = marked().length
    for (const mark of marked()) rmSync(join(marks, mark))

    const told = await readAndPublish(opened).catch((error: unknown) => error)
    expect(marked()).toEqual([])
    expect(told).toEqual(leftBehind(leaves))

    if (springs) useOrdinaryGit(tree)
    expect({ springs, sprung: laid + marked().length > 0 }).toMatchObject(
      springs ? { springs, sprung: true } : { springs },
    )
  })

  test('a change is kept apart from traps that were committed to the base', async () => {
    using opened = await openCheckout({
      files: { ...files, '.gitattributes': '* filter=lfs text eol=crlf ident\n', '.gitmodules': '[submodule "x"]\n' },
    })
    expect(await opened.collect()).toBeNull()
  })
})

type Opened = Awaited<ReturnType<typeof openCheckout>>

/** All that is done with a patch: collect, read, show, commit, push. */
async function readAndPublish(opened: Opened): Promise<{ changes: string[]; diff: string }> {
  const patch = (await opened.collect())!
  await using quarantine = await opened.openPatch(patch)
  const changes = (await quarantine.changes()).map(({ status, path }) => `${status} ${path}`)
  const { text } = await quarantine.diff(100_000)
  const commit = await quarantine.commit({ parent: patch.base, message: 'a change', date: new Date(0) })
  const forge = createLocalForge({ operator: createOperator(opened.folder), pulls: createPullRecords() })
  const push = { repository: opened.mirror.repository, branch: 'overnight/a/b', commit, expected: null }
  await forge.ensureBranch({ ...push, gitDir: quarantine.gitDir, signal: opened.signal })
  return { changes: changes.toSorted(), diff: text }
}

describe('submodules of the base', () => {
  const withSubmodule = (folder: string) => {
    const inner = join(folder, 'inner')
    const outer = join(folder, 'outer')
    for (const path of [inner, outer]) {
      mkdirSync(path)
      git(path, 'init', '--quiet', '--initial-branch=main')
      writeFiles(path, { a: 'a\n' })
      git(path, 'add', '.')
      git(path, 'commit', '--quiet', '-m', 'one')
    }
    git(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'lib')
    git(outer, 'commit', '--quiet', '-m', 'with a submodule')
    return outer
  }

  test('are not checked out and stay as they are', async () => {
    using opened = await openCheckout({ source: withSubmodule })
    expect(existsSync(join(opened.checkout.tree, 'lib', 'a'))).toBe(false)
    expect(await opened.collect()).toBeNull()
    rmSync(join(opened.checkout.tree, 'lib'), { recursive: true })
    expect(await opened.collect()).toBeNull()
  })

  test('git is never run inside what the agent puts there', async () => {
    using opened = await openCheckout({ source: withSubmodule })
    const mark = join(opened.folder, 'mark')
    const lib = join(opened.checkout.tree, 'lib')
    layNested(lib, `touch ${mark.replaceAll(/[ é]/g, '?')}`)
    rmSync(mark, { force: true })
    expect(await opened.collect()).toBeNull()
    expect(existsSync(mark)).toBe(false)
  })
})
