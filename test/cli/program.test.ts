import { expect, test } from 'vitest'
import { runCli } from '../../src/cli/program.ts'

async function overnight(...argv: string[]) {
  const said = { out: '', err: '' }
  const code = await runCli(argv, {
    env: { HOME: '/nowhere' },
    cwd: '/',
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    isTerminal: false,
    input: async () => '',
    onSignal: () => {},
  })
  return { ...said, code }
}

const { out: help } = await overnight('--help')
const commands = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name!)

test.each([...commands, 'demo'])('overnight %s has help of its own', async (command) => {
  const { code, out } = await overnight(command, '--help')
  expect({ code, usage: out.split('\n')[0] }).toMatchObject({
    code: 0,
    usage: expect.stringContaining(`overnight ${command}`),
  })
})

test('help names every command, in the order of a first evening', () => {
  expect(commands.length).toBeGreaterThan(30)
  expect(commands.slice(0, 4)).toEqual(['init', 'new', 'schema', 'check'])
})

test('the version is one line', async () => {
  const answer = { code: 0, err: '', out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) }
  expect(await overnight('--version')).toEqual(answer)
  expect(await overnight('-V')).toEqual(answer)
})

test('a misspelt command is compared with all', async () => {
  expect(await overnight('rutines')).toMatchObject({ code: 2, err: expect.stringContaining('routines') })
})
