import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { git } from '../../support/git-repository.ts'
import { routineText } from '../reading/reading.ts'
import { open, openFolder } from './open-library.ts'

describe('the commit of a routine', () => {
  const operator = { path: process.env['PATH'] ?? '', home: '/nonexistent' }

  test('is known while the file is committed and unchanged, in a folder of a repository', async () => {
    const repository = openFolder()
    git(repository, 'init', '--quiet')
    const dir = join(repository, 'routines')
    mkdirSync(dir)
    writeFileSync(join(dir, 'tidy.md'), routineText('', 'One'))
    const library = await open(dir, { watch: false, operator, commitEveryMs: 0 })
    const commit = () => library.snapshot().routines[0]?.commit
    expect(commit()).toBeNull()

    git(repository, 'add', '.')
    git(repository, 'commit', '--quiet', '--message', 'routines')
    await library.rescan()
    const first = git(repository, 'rev-parse', 'HEAD')
    expect(commit()).toBe(first)
    expect(library.told).toHaveLength(2)

    git(repository, 'commit', '--quiet', '--allow-empty', '--message', 'elsewhere')
    await library.rescan()
    expect(commit()).toBe(first)
    expect(library.told).toHaveLength(2)

    writeFileSync(join(dir, 'tidy.md'), routineText('', 'Two'))
    await library.rescan()
    expect(commit()).toBeNull()
    git(repository, 'commit', '--quiet', '--all', '--message', 'two')
    await library.rescan()
    expect(commit()).toBe(git(repository, 'rev-parse', 'HEAD'))
  })

  test('runs nothing that the configuration of the repository names', async () => {
    const repository = openFolder({ 'tidy.md': routineText(), '.gitattributes': '*.md filter=evil diff=evil' })
    git(repository, 'init', '--quiet')
    git(repository, 'add', '.')
    git(repository, 'commit', '--quiet', '--message', 'routines')
    const mark = join(repository, 'executed')
    for (const key of [
      'core.fsmonitor',
      'filter.evil.clean',
      'filter.evil.smudge',
      'diff.evil.textconv',
      'core.pager',
    ]) {
      git(repository, 'config', key, `touch '${mark}'`)
    }
    const library = await open(repository, { watch: false, operator })
    expect(library.snapshot().routines[0]?.commit).toBe(git(repository, 'rev-parse', 'HEAD'))
    expect(existsSync(mark)).toBe(false)
  })

  test.each([
    ['without a repository', operator],
    ['without git', { path: '/nonexistent', home: '/nonexistent' }],
    ['without an operator', undefined],
  ])('is not known %s', async (_what, who) => {
    const dir = openFolder({ 'tidy.md': routineText() })
    const library = await open(dir, { watch: false, ...(who ? { operator: who } : {}) })
    expect(library.snapshot().routines).toMatchObject([{ name: 'tidy', commit: null }])
  })

  test('is not known in a repository without a commit', async () => {
    const dir = openFolder({ 'tidy.md': routineText() })
    git(dir, 'init', '--quiet')
    const library = await open(dir, { watch: false, operator })
    expect(library.snapshot().routines).toMatchObject([{ name: 'tidy', commit: null }])
  })
})
