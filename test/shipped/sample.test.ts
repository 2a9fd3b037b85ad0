import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRoutine } from '../../src/routines/reading/read.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { openTree, runNode, sampleDir, type ProgramName } from './run-program.ts'

async function openSample() {
  const entries = await readdir(sampleDir, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return openTree(
    Object.fromEntries(
      await Promise.all(paths.map(async (path) => [path.slice(sampleDir.length + 1), await readFile(path)])),
    ),
  )
}

async function ownTests(cwd: string) {
  const { code, stdout } = await runNode(['--test', '--test-reporter=tap'], cwd)
  return { code, passed: /^# pass (\d+)$/m.exec(stdout)?.[1] }
}

const programs: [program: ProgramName, headline: string, path: string, changes: [before: string, after: string][]][] = [
  [
    'contents-list',
    'Rebuilt the contents of README.md',
    'README.md',
    [
      ['- [Installing](#installing)', '- [Install](#install)'],
      [
        '- [Wrapping](#wrapping)\n',
        '  - [Wide characters](#wide-characters)\n- [Wrapping text](#wrapping-text)\n  - [Bullet points](#bullet-points)\n- [What it does not do](#what-it-does-not-do)\n',
      ],
    ],
  ],
  [
    'merge-imports',
    'Merged duplicate imports in src/table.js',
    'src/table.js',
    [
      ["import { padEnd } from './pad.js'\n", "import { padEnd, padStart } from './pad.js'\n"],
      ["import { padStart } from './pad.js'\n", ''],
    ],
  ],
  [
    'unused-export',
    'Removed the unused function cutTo from src/width.js',
    'src/width.js',
    [
      [
        `
/** The text, cut so that it takes at most \`columns\`. */
export function cutTo(text, columns) {
  let cut = ''
  for (const character of text) {
    if (widthOf(cut + character) > columns) break
    cut += character
  }
  return cut
}
`,
        '',
      ],
    ],
  ],
]

test.each(programs)(
  '%s changes one thing of the sample once, and its tests still pass',
  async (...[program, headline, path, changes]) => {
    await using sample = await openSample()
    const before = await sample.readAll()
    const tests = await ownTests(sample.tree)
    expect(tests).toEqual({ code: 0, passed: '7' })

    expect(await sample.run(program)).toMatchObject({ code: 0, headline, stderr: '' })
    const after = await sample.readAll()
    const expected = changes.reduce((text, [from, to]) => text.replace(from, () => to), before[path] ?? '')
    expect(after).toEqual({ ...before, [path]: expected })
    expect(await ownTests(sample.tree)).toEqual(tests)

    expect(await sample.run(program)).toMatchObject({ code: 0, stderr: '' })
    expect(await sample.readAll()).toEqual(after)
  },
)

test('one after the other they leave a sample in which there is nothing to do', async () => {
  await using sample = await openSample()
  for (const [program] of programs) await sample.run(program)
  const after = await sample.readAll()
  for (const [program] of programs) await sample.run(program)
  expect(await sample.readAll()).toEqual(after)
  expect(await ownTests(sample.tree)).toEqual({ code: 0, passed: '7' })
})

test.each(programs)('routines/%s.md is a routine without a mistake', async (program) => {
  const file = join(sampleDir, '../../../routines', `${program}.md`)
  const read = readRoutine(file, await readFile(file, 'utf8'), { defaultEngine: 'claude', checkSchedule })
  if (!('routine' in read)) throw new Error(JSON.stringify(read.problems))
  expect(read.routine).toMatchObject({ name: program, repository: '..', unavailable: [], engine: { name: 'command' } })
  expect(read.routine.schedules).toHaveLength(1)
})
