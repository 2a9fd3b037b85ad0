import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listFolder, readBlobs } from '../../src/checkout/read-folder.ts'
import { StepFailed } from '../../src/errors.ts'
import { createGitSource, type Head } from '../../src/routines/library/git-source.ts'
import { readLibrary } from '../../src/routines/library/library.ts'
import { commitFiles, createRepository, git, openFolder } from '../support/git-repository.ts'
import { readOptions, routineText } from '../routines/reading/reading.ts'

function openSource(repository: string, folder = 'routines') {
  const asked: number[] = []
  const head = (): Head => {
    const commit = git(repository, 'rev-parse', 'HEAD')
    const gitDir = join(repository, '.git')
    return {
      commit,
      list: (path) => listFolder(gitDir, commit, path),
      read: (files) => {
        asked.push(files.length)
        return readBlobs(gitDir, files)
      },
    }
  }
  const place = { name: 'acme/shop:routines', folder, dir: '/data/routines' }
  return { asked, source: createGitSource({ ...place, look: async () => head() }), place }
}

describe('a folder in a git repository', () => {
  test.each([[[]], [['--object-format=sha256']]])('is read from its objects %s', async (options) => {
    using folder = openFolder()
    const files = {
      'routines/tidy.md': routineText('', 'Ordnung – 🌙'),
      'routines/sort.md': routineText('nope: 1'),
      'routines/README.md': '# Ours',
      'routines/more/deep.md': routineText(),
      'other.md': routineText(),
    }
    const repository = createRepository(join(folder.path, 'shop'), files, options)
    const { source } = openSource(repository)
    const snapshot = await readLibrary(source, readOptions)
    expect(snapshot.routines).toMatchObject([{ name: 'tidy', file: '/data/routines/tidy.md', prompt: 'Ordnung – 🌙' }])
    expect(snapshot.problems).toMatchObject([{ file: 'acme/shop:routines/sort.md', line: 4, column: 1 }])
    expect((await readLibrary(openSource(repository, '').source, readOptions)).routines).toMatchObject([
      { name: 'other' },
    ])
  })

  test('takes no links, folders, submodules, large files, twins, or what is not UTF-8; each says so', async () => {
    using folder = openFolder()
    const repository = createRepository(join(folder.path, 'shop'), {
      'routines/good.md': routineText(),
      'routines/huge.md': 'x'.repeat(257 * 1024),
      'routines/twin.md': routineText(),
      'routines/twin.MD': routineText(),
      'routines/Bad Name.md': routineText(),
      'routines/new\nline.md': routineText(),
      'routines/folder.md/x': 'x',
    })
    const dir = join(repository, 'routines')
    writeFileSync(join(dir, 'latin.md'), Buffer.from([0x2d, 0xe4, 0xff]))
    symlinkSync('/etc/passwd', join(dir, 'link.md'))
    symlinkSync('good.md', join(dir, 'inside.md'))
    mkdirSync(join(dir, 'hooks'))
    const head = commitFiles(repository, {})
    git(repository, 'update-index', '--add', '--cacheinfo', `160000,${head},routines/module.md`)
    git(repository, 'commit', '--quiet', '-m', 'a submodule')
    const snapshot = await readLibrary(openSource(repository).source, readOptions)
    expect(snapshot.routines.map(({ name }) => name)).toEqual(['good'])
    expect(Object.fromEntries(snapshot.problems.map(({ file, message }) => [file.slice(19), message]))).toEqual({
      'Bad Name.md': '"Bad Name" cannot be the name of a routine',
      'folder.md': 'this is not a regular file',
      'huge.md': 'the file is larger than 256 KB',
      'inside.md': 'this is a link',
      'latin.md': 'the file is not UTF-8 text',
      'link.md': 'this is a link',
      'module.md': 'this is not a regular file',
      'new\nline.md': '"new\\nline" cannot be the name of a routine',
      'twin.MD': 'the name differs from "twin.md" only in case',
      'twin.md': 'the name differs from "twin.MD" only in case',
    })
  })

  test('is read again only where it changed, and each text is in the commit that brought it', async () => {
    using folder = openFolder()
    const repository = createRepository(join(folder.path, 'shop'), {
      'routines/a.md': routineText('', 'A'),
      'routines/b.md': routineText('', 'B'),
    })
    const { source, asked } = openSource(repository)
    const first = await source.read()
    if ('missing' in first) throw new Error(first.missing.message)
    commitFiles(repository, { 'routines/b.md': routineText('', 'B2') })
    const second = await source.read(new Map(first.files.map((file) => [file.entry, file])))
    if ('missing' in second) throw new Error(second.missing.message)
    expect(asked).toEqual([2, 1])
    expect(second.files[0]).toBe(first.files[0])
    expect(second.files[1]).toMatchObject({ entry: 'b.md', text: routineText('', 'B2') })
  })

  test('that is missing, or cannot be asked for, says so', async () => {
    using folder = openFolder()
    const repository = createRepository(join(folder.path, 'shop'), { routines: 'a file' })
    const { source, place } = openSource(repository)
    expect(await source.read()).toEqual({
      commit: git(repository, 'rev-parse', 'HEAD'),
      missing: {
        message: 'the branch has no folder "routines"',
        hint: 'make it there, or correct OVERNIGHT_ROUTINES',
      },
    })
    const away = createGitSource({
      ...place,
      look: () => Promise.reject(new StepFailed('forge_unavailable', 'GitHub is away')),
    })
    expect(await away.read()).toMatchObject({ missing: { message: 'GitHub is away' } })
    const wrong = createGitSource({ ...place, look: () => Promise.reject(new TypeError('a mistake of ours')) })
    await expect(wrong.read()).rejects.toThrow('a mistake of ours')
  })

  test('of many files is read in parts', async () => {
    using folder = openFolder()
    const text = routineText('', 'x'.repeat(100_000))
    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`routines/r${index}.md`, `${text}${index}\n`]),
    )
    const repository = createRepository(join(folder.path, 'shop'), files)
    const tree = await openSource(repository).source.read()
    if ('missing' in tree) throw new Error(tree.missing.message)
    expect(tree.files.map((file) => ('text' in file ? file.text : ''))).toEqual(
      tree.files.map(({ entry }) => files[`routines/${entry}`]),
    )
  })
})
