import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { openFolder } from '../support/git-repository.ts'

test.each([
  ['search', true, 0],
  ['delete', true, 1],
  ['search', false, 1],
])(
  'a plan of a routine with the tool %s, its connector there: %j, ends with %i, as check does',
  async (tool, isThere, code) => {
    using folder = openFolder()
    const { path } = folder
    await mkdir(join(path, 'routines'))
    const front = `repository: acme/shop\nengine: { name: command, command: [x] }\nconnectors: [{ name: linear, tools: [${tool}] }]`
    await writeFile(join(path, 'routines', 'a.md'), `---\n${front}\n---\nDo it.\n`)
    if (isThere) {
      await mkdir(join(path, 'connectors'))
      await writeFile(join(path, 'connectors', 'linear.yaml'), 'url: https://mcp.example/\ntools: [search]\n')
    }
    const ended = (command: string) =>
      runCli([command], {
        env: { HOME: path },
        cwd: path,
        out: () => {},
        err: () => {},
        isTerminal: false,
        input: async () => '',
        onSignal: () => {},
      })
    expect([await ended('plan'), await ended('check')]).toEqual([code, code])
  },
)
