import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createLog } from '../../src/log.ts'
import { formatProblem } from '../../src/routines/format.ts'
import { createFolderSource, type FolderSourceOptions } from '../../src/routines/folder-source.ts'
import { openLibrary, readLibrary, type LibraryOptions, type LibrarySnapshot } from '../../src/routines/library.ts'
import { git } from '../support/git-repository.ts'
import { readGood, readOptions, routineText } from './reading.ts'

const makePipe = 'mkfifo'
const log = createLog('silent')
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function openFolder(files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'routinen für nachts-'))
  cleanUps.push(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}

type Opened = Awaited<ReturnType<typeof openLibrary>> & { told: LibrarySnapshot[] }

type Options = Partial<LibraryOptions> & Partial<FolderSourceOptions>

async function open(dir: string, { operator, commitEveryMs, ...options }: Options = {}): Promise<Opened> {
  const told: LibrarySnapshot[] = []
  const commits = { ...(operator && { operator }), ...(commitEveryMs !== undefined && { commitEveryMs }) }
  const source = createFolderSource({ dir, ...commits })
  const onChange = (snapshot: LibrarySnapshot) => void told.push(snapshot)
  const library = await openLibrary({ source, read: readOptions, log, onChange, ...options })
  cleanUps.push(() => library[Symbol.asyncDispose]())
  return { ...library, told }
}

const namesOf = (snapshot: LibrarySnapshot) => snapshot.routines.map((routine) => routine.name)
const promptOf = (snapshot: LibrarySnapshot, name = 'tidy') =>
  snapshot.routines.find((routine) => routine.name === name)?.prompt
const problemsIn = (snapshot: LibrarySnapshot, dir: string) =>
  snapshot.problems.map((problem) => formatProblem(problem).replace(`${dir}/`, ''))
/** Two seconds is what a person is promised. */
const soon = { timeout: 2000, interval: 20 }

describe('reading the folder', () => {
  test('takes the routine files directly inside it, and nothing else', async () => {
    const dir = openFolder({
      'b.md': routineText(),
      'a.md': routineText(),
      'README.md': '# Ours',
      'notes.txt': 'x',
      '.#a.md': 'lock',
      'a.md~': 'old',
    })
    mkdirSync(join(dir, 'more'))
    writeFileSync(join(dir, 'more', 'c.md'), routineText())
    const { routines, problems, broken } = await readLibrary(createFolderSource({ dir }), readOptions)
    expect(routines.map(({ name, file }) => ({ name, file }))).toEqual([
      { name: 'a', file: join(dir, 'a.md') },
      { name: 'b', file: join(dir, 'b.md') },
    ])
    expect({ problems, broken }).toEqual({ problems: [], broken: new Map() })
  })

  test('one broken file never stops the others, and each says what is wrong', async () => {
    const outside = openFolder({ 'secret.md': routineText() })
    const dir = openFolder({
      'good.md': routineText(),
      'nope.md': routineText('nope: 1'),
      'Bad Name.md': routineText(),
      'huge.md': routineText('', 'x'.repeat(257 * 1024)),
      'twin.md': routineText(),
      'twin.MD': routineText(),
    })
    writeFileSync(join(dir, 'latin.md'), Buffer.from([0x2d, 0xe4, 0xff]))
    mkdirSync(join(dir, 'folder.md'))
    execFileSync(makePipe, [join(dir, 'pipe.md')])
    symlinkSync(join(outside, 'secret.md'), join(dir, 'link.md'))
    symlinkSync('/etc/passwd', join(dir, 'passwd.md'))
    symlinkSync('../nowhere', join(dir, 'dangling.md'))
    symlinkSync('good.md', join(dir, 'inside.md'))
    symlinkSync('loop.md', join(dir, 'loop.md'))

    const snapshot = await readLibrary(createFolderSource({ dir }), readOptions)
    expect(namesOf(snapshot)).toEqual(['good', 'inside'])
    expect([...snapshot.broken.keys()].sort()).toEqual([
      'dangling',
      'folder',
      'huge',
      'latin',
      'link',
      'loop',
      'nope',
      'passwd',
      'pipe',
      'twin',
    ])
    expect(problemsIn(snapshot, dir).sort()).toEqual(
      [
        'Bad Name.md:1:1: "Bad Name" cannot be the name of a routine – rename the file: small letters, digits and -, at most 63, such as nightly-dependencies.md',
        'dangling.md:1:1: this is a link to nothing – copy the file into the folder',
        'folder.md:1:1: this is not a regular file – remove it, or give it another ending',
        'huge.md:1:1: the file is larger than 256 KB – a routine is a prompt: keep data in the repository',
        'latin.md:1:1: the file is not UTF-8 text – save it as UTF-8',
        'link.md:1:1: this is a link out of the folder – copy the file into the folder',
        'loop.md:1:1: this is a link to nothing – copy the file into the folder',
        'nope.md:4:1: unknown key "nope" – known here: description, on, repository, base, engine, connectors, inputs, sandbox, network, allow_trifecta, limits, overlap, concurrency, debounce, pace, pause_after, catch_up, topic, output, success',
        'passwd.md:1:1: this is a link out of the folder – copy the file into the folder',
        'pipe.md:1:1: this is not a regular file – remove it, or give it another ending',
        'twin.MD:1:1: the name differs from "twin.md" only in case – rename or remove one of them',
        'twin.md:1:1: the name differs from "twin.MD" only in case – rename or remove one of them',
      ].sort(),
    )
  })

  test('the way a cluster mounts files, links to a folder inside the folder, is read', async () => {
    const dir = openFolder()
    mkdirSync(join(dir, '..2026_01'))
    writeFileSync(join(dir, '..2026_01', 'tidy.md'), routineText())
    symlinkSync('..2026_01', join(dir, '..data'))
    symlinkSync('..data/tidy.md', join(dir, 'tidy.md'))
    expect(await readLibrary(createFolderSource({ dir }), readOptions)).toMatchObject({
      routines: [{ name: 'tidy', file: join(dir, 'tidy.md') }],
      problems: [],
    })
  })

  test('a folder that is missing, or is a file, is a problem', async () => {
    const dir = openFolder({ file: 'x' })
    expect(await readLibrary(createFolderSource({ dir: join(dir, 'routines') }), readOptions)).toMatchObject({
      routines: [],
      problems: [{ message: 'there is no such folder' }],
    })
    expect(await readLibrary(createFolderSource({ dir: join(dir, 'file') }), readOptions)).toMatchObject({
      routines: [],
      problems: [{ message: 'this is not a folder' }],
    })
  })
})

describe('the folder in force', () => {
  test('a new file, a change and a removal apply within two seconds', async () => {
    const dir = openFolder({ 'tidy.md': routineText('', 'One') })
    const library = await open(dir)
    expect(library.told.map(namesOf)).toEqual([['tidy']])

    writeFileSync(join(dir, 'tidy.md'), routineText('', 'Two'))
    await vi.waitFor(() => expect(promptOf(library.told.at(-1)!)).toBe('Two'), soon)
    writeFileSync(join(dir, 'sort.md'), routineText())
    await vi.waitFor(() => expect(namesOf(library.told.at(-1)!)).toEqual(['sort', 'tidy']), soon)
    rmSync(join(dir, 'tidy.md'))
    await vi.waitFor(() => expect(namesOf(library.told.at(-1)!)).toEqual(['sort']), soon)
    expect(library.snapshot()).toBe(library.told.at(-1))
  })

  test('a broken change keeps the last good version and says so; correcting it is told, even without another text', async () => {
    const good = routineText('', 'Good')
    const dir = openFolder({ 'tidy.md': good })
    const library = await open(dir)
    writeFileSync(join(dir, 'tidy.md'), routineText('nope: 1', 'Bad'))
    await vi.waitFor(() => expect(library.told).toHaveLength(2), soon)
    expect(promptOf(library.snapshot())).toBe('Good')
    expect(library.snapshot().broken.get('tidy')).toMatchObject([{ line: 4, column: 1, message: 'unknown key "nope"' }])

    writeFileSync(join(dir, 'tidy.md'), good)
    await vi.waitFor(() => expect(library.told).toHaveLength(3), soon)
    expect(library.snapshot()).toMatchObject({ broken: new Map(), problems: [], routines: [{ prompt: 'Good' }] })
  })

  test('a file that was broken from the start has no version, and one that is removed while broken is gone', async () => {
    const dir = openFolder({ 'tidy.md': 'no repository' })
    const library = await open(dir)
    expect(library.told).toMatchObject([{ routines: [], broken: new Map([['tidy', [{ line: 1 }]]]) }])
    rmSync(join(dir, 'tidy.md'))
    await vi.waitFor(() => expect(library.snapshot().broken.size).toBe(0), soon)
    expect(library.told).toHaveLength(2)
  })

  test('a broken file has the version that was in force before the start, if there was one', async () => {
    const dir = openFolder({ 'tidy.md': 'no repository' })
    const before = { ...readGood(routineText('', 'From before')), name: 'tidy' }
    const library = await open(dir, { memory: { lastGood: async (name) => (name === 'tidy' ? before : undefined) } })
    expect(promptOf(library.snapshot())).toBe('From before')
    expect(library.snapshot().broken.has('tidy')).toBe(true)
  })

  test('what was in force before stays when the folder is out of reach at the start', async () => {
    const dir = join(openFolder(), 'not mounted')
    const before = { ...readGood(routineText('', 'From before')), name: 'tidy' }
    const library = await open(dir, { memory: { inForce: async () => [before] } })
    expect(promptOf(library.snapshot())).toBe('From before')
    expect(library.snapshot().problems).toMatchObject([{ message: 'there is no such folder' }])
    expect(library.told).toEqual([])
    mkdirSync(dir)
    writeFileSync(join(dir, 'sort.md'), routineText())
    await library.rescan()
    expect(library.told.map(namesOf)).toEqual([['sort']])
  })

  test('a version that was put back is in force until the file has another text', async () => {
    const dir = openFolder({ 'tidy.md': routineText('', 'New') })
    const from = readGood(routineText('', 'New')).hash
    const old = { ...readGood(routineText('', 'Old')), name: 'tidy' }
    const library = await open(dir, { watch: false, memory: { rolledBack: async () => [{ routine: old, from }] } })
    expect(promptOf(library.snapshot())).toBe('Old')
    expect(library.snapshot().rolledBack).toEqual(new Map([['tidy', from]]))
    expect(promptOf(library.told[0]!)).toBe('New')

    writeFileSync(join(dir, 'tidy.md'), routineText('nope: 1', 'Broken'))
    await library.rescan()
    expect(promptOf(library.snapshot())).toBe('Old')
    writeFileSync(join(dir, 'tidy.md'), routineText('', 'Newer'))
    await library.rescan()
    expect(promptOf(library.snapshot())).toBe('Newer')
    expect(library.snapshot().rolledBack.size).toBe(0)
  })

  test('an editor that saves by renaming never makes the routine disappear', async () => {
    const dir = openFolder({ 'tidy.md': routineText('', 'One') })
    const library = await open(dir)
    renameSync(join(dir, 'tidy.md'), join(dir, 'tidy.md~'))
    const looking = library.rescan()
    // The look has seen the folder without the file by now.
    for (let turn = 0; turn < 50; turn++) await readdir(dir)
    writeFileSync(join(dir, 'new'), routineText('', 'Two'))
    renameSync(join(dir, 'new'), join(dir, 'tidy.md'))
    await looking
    await vi.waitFor(() => expect(promptOf(library.snapshot())).toBe('Two'), soon)
    expect(library.told.map(namesOf).every((names) => names.includes('tidy'))).toBe(true)
  })

  test('a hundred quick changes are told in a few calls, and the last one wins', async () => {
    const dir = openFolder()
    const library = await open(dir)
    for (let n = 1; n <= 100; n++) writeFileSync(join(dir, 'tidy.md'), routineText('', `Version ${n}`))
    await vi.waitFor(() => expect(promptOf(library.snapshot())).toBe('Version 100'), soon)
    expect(library.told.length).toBeLessThan(10)
  })

  test('a change of the same length right after a look is not overlooked', async () => {
    const dir = openFolder({ 'tidy.md': routineText('', 'One') })
    const library = await open(dir, { watch: false })
    for (const prompt of ['Two', 'Six', 'Ten']) {
      writeFileSync(join(dir, 'tidy.md'), routineText('', prompt))
      await library.rescan()
      expect(promptOf(library.snapshot())).toBe(prompt)
    }
  })

  test('a look that finds nothing new tells nothing', async () => {
    const dir = openFolder({ 'tidy.md': routineText(), 'bad.md': 'x' })
    const library = await open(dir, { watch: false })
    await library.rescan()
    await Promise.all([library.rescan(), library.rescan(), library.rescan()])
    expect(library.told).toHaveLength(1)
  })

  test('of a look that finds nothing new the state is the same, to the object', async () => {
    const library = await open(openFolder({ 'tidy.md': routineText(), 'broken.md': 'no front matter' }))
    // Files that are very new are read again.
    const isSame = async () => {
      const before = library.snapshot()
      await library.rescan()
      return library.snapshot() === before
    }
    await expect.poll(isSame, soon).toBe(true)
  })

  test.each(['rolledBack', 'lastGood'] as const)(
    'a change that was found while %s could not be asked is not overlooked',
    async (question) => {
      const dir = openFolder({ 'tidy.md': routineText() })
      const ledger = { isAway: false }
      const ask = async () => {
        if (ledger.isAway) throw new Error('the ledger is away')
      }
      const memory = { rolledBack: async () => [], lastGood: async () => undefined, [question]: ask }
      const library = await open(dir, { memory, watch: false })
      ledger.isAway = true
      writeFileSync(join(dir, 'tidy.md'), routineText('', 'Now.'))
      writeFileSync(join(dir, 'odd.md'), 'no front matter')
      await library.rescan()
      expect(library.told.length).toBe(1)
      ledger.isAway = false
      await library.rescan()
      expect(library.told.length).toBe(2)
      expect(promptOf(library.told[1]!)).toContain('Now.')
    },
  )

  test('a folder that appears later is found', async () => {
    const parent = openFolder()
    const dir = join(parent, 'deep', 'routines')
    const library = await open(dir)
    expect(library.snapshot()).toMatchObject({ routines: [], problems: [{ message: 'there is no such folder' }] })
    expect(library.told).toEqual([])
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'tidy.md'), routineText())
    await vi.waitFor(() => expect(library.told.map(namesOf)).toContainEqual(['tidy']), soon)
    expect(library.snapshot().problems).toEqual([])
  })

  test('a folder that goes away takes nothing with it, says so, and is read again when it is back', async () => {
    const dir = openFolder({ 'tidy.md': routineText('', 'One') })
    const library = await open(dir)
    renameSync(dir, `${dir}-away`)
    cleanUps.push(() => rmSync(`${dir}-away`, { recursive: true, force: true }))
    await vi.waitFor(
      () => expect(library.snapshot().problems).toMatchObject([{ file: dir, message: 'there is no such folder' }]),
      soon,
    )
    expect(promptOf(library.snapshot())).toBe('One')

    mkdirSync(dir)
    writeFileSync(join(dir, 'tidy.md'), routineText('', 'Two'))
    await vi.waitFor(() => expect(promptOf(library.snapshot())).toBe('Two'), soon)
    writeFileSync(join(dir, 'tidy.md'), routineText('', 'Three'))
    await vi.waitFor(() => expect(promptOf(library.snapshot())).toBe('Three'), soon)
    expect(library.snapshot().problems).toEqual([])
  })

  test('what could not be applied is applied at the next look', async () => {
    const dir = openFolder()
    const refusals = [new Error('the ledger is away')]
    const told: string[][] = []
    const library = await open(dir, {
      watch: false,
      onChange: async (snapshot) => {
        const refusal = snapshot.routines.length > 0 ? refusals.pop() : undefined
        if (refusal) throw refusal
        told.push(namesOf(snapshot))
      },
    })
    writeFileSync(join(dir, 'tidy.md'), routineText())
    await library.rescan()
    expect(told).toEqual([[]])
    await library.rescan()
    expect(told).toEqual([[], ['tidy']])
  })

  test('what others put in force is compared with the files at the next look, not at once, and once', async () => {
    const dir = openFolder({ 'tidy.md': routineText() })
    const library = await open(dir, { watch: false })
    await library.heard()
    await library.heard()
    expect(library.told).toHaveLength(1)
    await library.rescan()
    await library.rescan()
    expect(library.told.map(namesOf)).toEqual([['tidy'], ['tidy']])
    await library.heard()
    // A look that took long, on a busy machine, makes the next one wait for up to a minute.
    const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000)
    await library.look().finally(() => now.mockRestore())
    expect(library.told).toHaveLength(3)
  })

  test('what is put in force while the files are applied is compared, too', async () => {
    const dir = openFolder({ 'tidy.md': routineText() })
    const looks: Promise<void>[] = []
    const told: string[] = []
    const library = await open(dir, {
      watch: false,
      onChange: async (snapshot) => {
        told.push(promptOf(snapshot) ?? '')
        if (told.length === 2) looks.push(library.heard(), library.rescan())
      },
    })
    writeFileSync(join(dir, 'tidy.md'), routineText('', 'Two'))
    await library.rescan()
    await Promise.all(looks)
    expect(told).toEqual(['Tidy up.', 'Two', 'Two'])
  })

  test('opening fails when the first state cannot be applied', async () => {
    const dir = openFolder()
    const onChange = () => Promise.reject(new Error('the ledger is away'))
    await expect(
      openLibrary({ source: createFolderSource({ dir }), read: readOptions, log, onChange }),
    ).rejects.toThrow('the ledger is away')
  })

  test('after closing nothing is told', async () => {
    const dir = openFolder()
    const library = await open(dir)
    writeFileSync(join(dir, 'tidy.md'), routineText())
    await library[Symbol.asyncDispose]()
    const count = library.told.length
    const witness = await open(dir)
    writeFileSync(join(dir, 'tidy.md'), routineText('', 'Two'))
    await vi.waitFor(() => expect(promptOf(witness.snapshot())).toBe('Two'), soon)
    expect(library.told).toHaveLength(count)
  })
})

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
