import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createLog } from '../../../src/log.ts'
import { createFolderSource } from '../../../src/routines/library/folder-source.ts'
import { formatProblem } from '../../../src/routines/format.ts'
import type { Source, SourceTree } from '../../../src/routines/library/source.ts'
import { parseGoodTexts, type DefinitionMemory, type GoodTexts } from '../../../src/routines/definitions/good-texts.ts'
import { isDefinitionFile } from '../../../src/routines/definitions/read-definition.ts'
import { openDefinitions, readDefinitions } from '../../../src/routines/definitions/definitions.ts'
import { sourceKind } from '../../../src/routines/webhooks/sources.ts'
import { openFolder } from '../../support/git-repository.ts'

async function open({ watch = false, memory }: { watch?: boolean; memory?: DefinitionMemory } = {}) {
  const folder = openFolder()
  const dir = join(folder.path, 'webhooks')
  await mkdir(dir)
  const write = (name: string, text: string) => writeFile(join(dir, name), text)
  await write('sentry.yaml', good)
  const source = createFolderSource({ dir, isWanted: isDefinitionFile })
  const sources = await openDefinitions({
    kind: sourceKind,
    source,
    log: createLog('silent'),
    watch,
    ...(memory ? { memory } : {}),
  })
  onTestFinished(async () => {
    await sources[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })
  const state = () => {
    const { inForce, broken, problems } = sources.snapshot()
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
    expect([...(await readDefinitions(sourceKind, source)).inForce.keys()].sort()).toEqual(['linear', 'sentry'])
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
    expect(sources.snapshot().inForce.get('sentry')?.description).toBe('again')
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
        (ending) => `${dir}/sentry.${ending}:1:1: there are two files of one name – keep the one that ends in .yaml`,
      ),
    })
  })

  test('what is saved is seen', async () => {
    const { write, state } = await open({ watch: true })
    await write('linear.yaml', 'verify: linear\nsecret: secret:A')
    await vi.waitFor(() => expect(state().inForce).toEqual(['linear', 'sentry']), { timeout: 5000 })
  })
})

describe('what is known from before the start', () => {
  const file = '/srv/webhooks/linear.yaml'
  const linear = { file, text: 'description: the last good one\nverify: linear\nsecret: secret:A\n' }
  function remember(texts: GoodTexts, keep = (): Promise<void> => Promise.resolve()) {
    const state = { texts, writes: 0 }
    const memory: DefinitionMemory = {
      recall: async () => state.texts,
      async keep(now) {
        state.writes += 1
        await keep()
        state.texts = now
      },
    }
    return { state, memory }
  }

  test('is in force for a file that is broken, and for no other', async () => {
    const { state, memory } = remember({ linear, gone: { ...linear, file: '/srv/webhooks/gone.yaml' } })
    const { sources, dir, write } = await open({ memory })
    // The file was removed while nothing ran.
    expect([...sources.snapshot().inForce.keys()]).toEqual(['sentry'])
    expect(Object.keys(state.texts)).toEqual(['sentry'])
    const broken = remember({ linear })
    await write('linear.yaml', 'verify: nobody\n')
    const source = createFolderSource({ dir, isWanted: isDefinitionFile })
    await using again = await openDefinitions({
      kind: sourceKind,
      source,
      log: createLog('silent'),
      watch: false,
      memory: broken.memory,
    })
    expect(again.snapshot().inForce.get('linear')?.description).toBe('the last good one')
    expect([...again.snapshot().broken]).toEqual(['linear'])
    expect(broken.state.texts).toEqual({ linear, sentry: { file: join(dir, 'sentry.yaml'), text: good } })
    await again.rescan()
    expect(broken.state.writes).toBe(1)
    await write('linear.yaml', 'verify: linear\nsecret: secret:B\n')
    await again.rescan()
    expect(broken.state.texts['linear']?.text).toContain('secret:B')
    await rm(join(dir, 'linear.yaml'))
    await again.rescan()
    expect(Object.keys(broken.state.texts)).toEqual(['sentry'])
  })

  test('is in force while a forge is away at the start, and not for a folder that is not there', async () => {
    const missing = { missing: { message: 'the forge is away', hint: 'wait' } }
    const answers: SourceTree[] = [missing]
    const forge: Source = { name: 'acme/routines', everyMs: 60_000, read: async () => answers.at(-1)! }
    const { memory, state } = remember({ linear })
    await using away = await openDefinitions({ kind: sourceKind, source: forge, log: createLog('silent'), memory })
    await away.rescan()
    expect([[...away.snapshot().inForce.keys()], away.snapshot().isKnown]).toEqual([['linear'], false])
    const folder: Source = { name: '/srv/webhooks', read: async () => missing }
    await using gone = await openDefinitions({ kind: sourceKind, source: folder, log: createLog('silent'), memory })
    expect([[...gone.snapshot().inForce.keys()], gone.snapshot().isKnown]).toEqual([[], true])
    // It may be a disk that comes back, with a file that is broken.
    expect(state).toEqual({ texts: { linear }, writes: 0 })
    answers.push({ ...missing, commit: 'abc' })
    await away.rescan()
    expect([[...away.snapshot().inForce.keys()], away.snapshot().isKnown]).toEqual([[], true])
  })

  test('that cannot be written is written after the next look; one that this version cannot read is nothing', async () => {
    const answers = [new Error('the ledger is away')]
    const { memory, state } = remember({ odd: { file: '/srv/webhooks/odd.yaml', text: '[' } }, async () => {
      const error = answers.pop()
      if (error) throw error
    })
    const { sources } = await open({ memory })
    expect(Object.keys(state.texts)).toEqual(['odd'])
    await sources.rescan()
    expect([Object.keys(state.texts), state.writes]).toEqual([['sentry'], 2])
    expect(parseGoodTexts({ sentry: { file: 1 } })).toEqual({})
    expect(parseGoodTexts(undefined)).toEqual({})
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
    await using sources = await openDefinitions({ kind: sourceKind, source, log: createLog('silent') })
    await sources.rescan()
    expect(sources.snapshot()).toMatchObject({ isKnown: false, problems: [] })
    answers.push({ files: [{ ...file, text: good }] })
    await sources.look()
    expect(sources.snapshot().isKnown).toBe(false)
    await sources.rescan()
    expect([...sources.snapshot().inForce.keys()]).toEqual(['sentry'])
    answers.push({ files: [{ ...file, stamp: 'b', text: 'verify: nobody' }] })
    await sources.rescan()
    expect(sources.snapshot().problems.map(formatProblem)[0]).toMatch(/^acme\/routines:webhooks\/sentry.yaml:1:9: /)
    expect(sources.snapshot()).toMatchObject({ isKnown: true, inForce: { size: 1 } })
  })

  test('are known to be none once a commit without the folder was seen', async () => {
    const missing = { missing: { message: 'no such folder', hint: 'make it' }, commit: 'c1' }
    const source: Source = { name: 'acme/routines', everyMs: 60_000, read: async () => missing }
    await using sources = await openDefinitions({ kind: sourceKind, source, log: createLog('silent') })
    await sources.rescan()
    expect(sources.snapshot()).toMatchObject({ isKnown: true, inForce: { size: 0 }, problems: [] })
  })
})
