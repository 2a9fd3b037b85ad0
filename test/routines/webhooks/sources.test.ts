import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createLog } from '../../../src/log.ts'
import { createFolderSource } from '../../../src/routines/folder-source.ts'
import { formatProblem } from '../../../src/routines/format.ts'
import type { Source, SourceTree } from '../../../src/routines/source.ts'
import { isSourceFile, openSources, readSources } from '../../../src/routines/webhooks/sources.ts'
import { openFolder } from '../../support/git-repository.ts'

async function open({ watch = false } = {}) {
  const folder = openFolder()
  const dir = join(folder.path, 'webhooks')
  await mkdir(dir)
  const write = (name: string, text: string) => writeFile(join(dir, name), text)
  await write('sentry.yaml', good)
  const source = createFolderSource({ dir, isWanted: isSourceFile })
  const sources = await openSources({ source, log: createLog('silent'), watch })
  onTestFinished(async () => {
    await sources[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })
  const state = () => {
    const { sources: inForce, broken, problems } = sources.snapshot()
    return { inForce: [...inForce.keys()].sort(), broken: [...broken], problems: problems.map(formatProblem) }
  }
  return { dir, source, sources, write, state }
}
const good = 'verify: sentry\nsecret: secret:SENTRY\n'

describe('a folder of sources', () => {
  test('is read; notes and hidden files are none', async () => {
    const { source, sources, write, state } = await open()
    await write('README.md', 'hello')
    await write('.hidden.yaml', 'x')
    await write('linear.yml', 'verify: linear\nsecret: secret:A')
    await sources.rescan()
    expect(state()).toEqual({ inForce: ['linear', 'sentry'], broken: [], problems: [] })
    expect([...(await readSources(source)).sources.keys()].sort()).toEqual(['linear', 'sentry'])
  })

  test('a broken file keeps its last good version, and says what is wrong; repaired it is in force', async () => {
    const { dir, sources, write, state } = await open()
    await write('sentry.yaml', 'verify: sentri\nsecret: secret:SENTRY\n')
    await write('new.yaml', 'nonsense')
    await sources.rescan()
    expect(state()).toMatchObject({ inForce: ['sentry'], broken: ['new', 'sentry'] })
    expect(state().problems).toContain(`${dir}/sentry.yaml:1:9: "verify" cannot be "sentri" – did you mean "sentry"?`)
    await write('sentry.yaml', 'description: again\nverify: sentry\nsecret: secret:SENTRY\n')
    await sources.rescan()
    expect(state().broken).toEqual(['new'])
    expect(sources.snapshot().sources.get('sentry')?.description).toBe('again')
  })

  test('a file that is removed is none any more; a folder that is gone changes nothing', async () => {
    const { dir, sources, write, state } = await open()
    await write('linear.yaml', 'verify: linear\nsecret: secret:A')
    await sources.rescan()
    await rm(join(dir, 'linear.yaml'))
    await sources.rescan()
    expect(state().inForce).toEqual(['sentry'])
    await rename(dir, `${dir}-away`)
    await sources.rescan()
    expect(state()).toEqual({ inForce: ['sentry'], broken: [], problems: [] })
  })

  test('two files of one name are both refused', async () => {
    const { dir, sources, write, state } = await open()
    await write('sentry.yml', 'verify: bearer\nsecret: secret:A')
    await sources.rescan()
    expect(state()).toEqual({
      inForce: ['sentry'],
      broken: ['sentry'],
      problems: ['yaml', 'yml'].map(
        (ending) => `${dir}/sentry.${ending}:1:1: there are two files for one source – keep the one that ends in .yaml`,
      ),
    })
  })

  test('what is saved is seen', async () => {
    const { write, state } = await open({ watch: true })
    await write('linear.yaml', 'verify: linear\nsecret: secret:A')
    await vi.waitFor(() => expect(state().inForce).toEqual(['linear', 'sentry']), { timeout: 5000 })
  })
})

describe('sources in a repository', () => {
  test('are waited for by nobody, and unknown until they could be read once', async () => {
    const answers: SourceTree[] = [{ missing: { message: 'the forge is away', hint: 'wait' } }]
    const file = {
      entry: 'sentry.yaml',
      file: '/data/sentry.yaml',
      shownAs: 'acme/routines:webhooks/sentry.yaml',
      stamp: 'a',
    }
    const source: Source = { name: 'acme/routines', everyMs: 60_000, read: async () => answers.at(-1)! }
    await using sources = await openSources({ source, log: createLog('silent') })
    await sources.rescan()
    expect(sources.snapshot()).toMatchObject({ isKnown: false, problems: [] })
    answers.push({ files: [{ ...file, text: good }] })
    await sources.look()
    expect(sources.snapshot().isKnown).toBe(false)
    await sources.rescan()
    expect([...sources.snapshot().sources.keys()]).toEqual(['sentry'])
    answers.push({ files: [{ ...file, stamp: 'b', text: 'verify: nobody' }] })
    await sources.rescan()
    expect(sources.snapshot().problems.map(formatProblem)[0]).toMatch(/^acme\/routines:webhooks\/sentry.yaml:1:9: /)
    expect(sources.snapshot()).toMatchObject({ isKnown: true, sources: { size: 1 } })
  })

  test('are known to be none once a commit without the folder was seen', async () => {
    const missing = { missing: { message: 'no such folder', hint: 'make it' }, commit: 'c1' }
    const source: Source = { name: 'acme/routines', everyMs: 60_000, read: async () => missing }
    await using sources = await openSources({ source, log: createLog('silent') })
    await sources.rescan()
    expect(sources.snapshot()).toMatchObject({ isKnown: true, sources: { size: 0 }, problems: [] })
  })
})
