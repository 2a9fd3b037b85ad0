import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { createFolderSource } from '../../../src/routines/library/folder-source.ts'
import { openLibrary } from '../../../src/routines/library/library.ts'
import { readGood, readOptions, routineText } from '../reading/reading.ts'
import { cleanUps, log, namesOf, open, openFolder, promptOf } from './open-library.ts'

/** Two seconds is what a person is promised. */
const soon = { timeout: 2000, interval: 20 }

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
