import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolderSource } from '../../../src/routines/library/folder-source.ts'
import { readLibrary } from '../../../src/routines/library/library.ts'
import { readOptions, routineText } from '../reading/reading.ts'
import { namesOf, openFolder, problemsIn } from './open-library.ts'

const makePipe = 'mkfifo'

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
        'nope.md:4:1: unknown key "nope" – known here: description, on, repository, base, checkout, engine, setup, connectors, inputs, sandbox, network, allow_trifecta, limits, overlap, concurrency, debounce, pace, pause_after, catch_up, topic, output, success',
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
