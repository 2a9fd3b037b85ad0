import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findClaude, isAtLeast } from '../../src/engines/claude-program.ts'
import { claude } from '../support/claude/program.ts'

async function ground(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'overnight-program-')))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}
async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  await chmod(path, 0o755)
}
const native = `@anthropic-ai/claude-code-${process.platform}-${process.arch}`

describe.skipIf(claude.skip)(`the operator's Claude Code${claude.note}`, () => {
  test('is found in their PATH, as the one file that is needed', async () => {
    const { path, version } = await findClaude(`relative::/nonexistent:${claude.folder}`)
    expect(path).toBe(await realpath(join(claude.folder, 'claude')))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  test.for([
    ['beside the script', `lib/node_modules/${native}/claude`],
    ['inside its package', `lib/node_modules/@anthropic-ai/claude-code/node_modules/${native}/claude`],
  ] as const)('behind the script that npm installs, the native program %s', async ([, place]) => {
    const folder = await ground()
    const real = await realpath(join(claude.folder, 'claude'))
    await put(join(folder, 'lib/node_modules/@anthropic-ai/claude-code/cli.js'), '#!/usr/bin/env node\n')
    await mkdir(dirname(join(folder, place)), { recursive: true })
    await symlink(real, join(folder, place))
    await mkdir(join(folder, 'bin'))
    await symlink('../lib/node_modules/@anthropic-ai/claude-code/cli.js', join(folder, 'bin/claude'))
    expect((await findClaude(join(folder, 'bin'))).path).toBe(real)
  })
})

test.for([
  [
    'nothing',
    async () => undefined,
    /not installed/,
    /npm install --global @anthropic-ai\/claude-code.*CLAUDE_CODE_VERSION/,
  ],
  ['a folder of that name', (bin: string) => mkdir(join(bin, 'claude')), /not installed/, /npm install/],
  [
    'a file that may not be executed',
    (bin: string) => writeFile(join(bin, 'claude'), 'x'),
    /not installed/,
    /npm install/,
  ],
  [
    'a script alone',
    (bin: string) => put(join(bin, 'claude'), '#!/bin/sh\necho 9.9.9\n'),
    /is a script/,
    /npm install/,
  ],
  [
    'another program',
    (bin: string) => symlink('/bin/echo', join(bin, 'claude')),
    /is not Claude Code.*--version|says/,
    /npm install/,
  ],
  [
    'a program that fails',
    (bin: string) => symlink('/bin/false', join(bin, 'claude')),
    /--version failed/,
    /npm install/,
  ],
] as const)('%s in the PATH', async ([, place, message, hint]) => {
  const folder = await ground()
  await place(folder)
  await expect(findClaude(folder)).rejects.toMatchObject({
    reason: 'no_agent',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  })
})

test.for([
  ['2.1.328', true],
  ['2.1.1000', true],
  ['2.2.0', true],
  ['3.0.0', true],
  ['2.1.327', false],
  ['2.0.999', false],
  ['1.9.999', false],
] as const)('is %s new enough: %s', ([version, isEnough]) => {
  expect(isAtLeast(version, '2.1.328')).toBe(isEnough)
})
