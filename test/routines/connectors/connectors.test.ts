import { expect, test } from 'vitest'
import { createLog } from '../../../src/log.ts'
import { openDefinitions } from '../../../src/routines/definitions/definitions.ts'
import { connectorKind } from '../../../src/routines/connectors/connectors.ts'
import type { GoodTexts } from '../../../src/routines/definitions/good-texts.ts'
import type { Source, SourceTree } from '../../../src/routines/library/source.ts'

const file = (name: string, text: string) => ({
  entry: `${name}.yaml`,
  file: `/c/${name}.yaml`,
  text,
  stamp: undefined,
})
const url = 'url: https://mcp.example/\n'

test('what other processes go by is what is in force: broken files as they were, and nothing of a folder that is gone', async () => {
  const state: { kept: GoodTexts; tree: SourceTree } = {
    kept: { gone: { file: '/c/gone.yaml', text: url } },
    tree: { files: [file('linear', url)] },
  }
  const source: Source = { name: '/c', read: async () => state.tree }
  const memory = {
    isShared: true,
    recall: async () => state.kept,
    keep: async (texts: GoodTexts) => void (state.kept = texts),
  }
  const options = { source, log: createLog('silent'), watch: false, memory }
  {
    await using connectors = await openDefinitions({ kind: connectorKind, ...options })
    expect(state.kept).toEqual({ linear: { file: '/c/linear.yaml', text: url } })
    state.tree = { files: [file('linear', 'url: x\n'), file('new', 'url: y\n')] }
    await connectors.rescan()
    expect([...connectors.snapshot().broken]).toEqual(['linear', 'new'])
    expect(state.kept).toEqual({ linear: { file: '/c/linear.yaml', text: url } })
    state.tree = { missing: { message: 'not mounted', hint: 'mount it' } }
    await connectors.rescan()
    expect(Object.keys(state.kept)).toEqual(['linear'])
  }
  await using again = await openDefinitions({ kind: connectorKind, ...options })
  expect([again.snapshot().inForce.size, state.kept]).toEqual([0, {}])
})
