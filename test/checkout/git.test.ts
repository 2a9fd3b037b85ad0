import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { GitFailed, lastLine, operatorGit, runGit, textOf } from '../../src/checkout/git.ts'
import { printable } from '../../src/checkout/hear.ts'
import { createOperator, createRepository, openFolder } from '../support/git-repository.ts'

function program(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}
/** A zombie is dead: only its entry waits to be collected. */
const isAlive = (pid: number) => {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout.trim()
  return state !== '' && !state.startsWith('Z')
}

describe('git on our own folders', () => {
  test('sees nothing of anybody’s settings', async () => {
    const told = textOf(await runGit(['config', '--list', '--show-scope']))
    expect(new Set(told.split('\n').map((line) => line.split('\t')[0]))).toEqual(new Set(['command']))
    expect(textOf(await runGit(['var', 'GIT_COMMITTER_IDENT']))).toMatch(/^Overnight <overnight@localhost>/)
  })

  test('runs no hook', async () => {
    using folder = openFolder()
    const repository = createRepository(join(folder.path, 'shop'))
    const mark = join(folder.path, 'mark')
    mkdirSync(join(repository, '.git/hooks'), { recursive: true })
    program(join(repository, '.git/hooks/pre-commit'), `touch '${mark}'`)
    await runGit(['commit', '--allow-empty', '--message=x'], { cwd: repository })
    expect(existsSync(mark)).toBe(false)
    const operator = createOperator(folder.path)
    await operatorGit(operator)(['commit', '--allow-empty', '--message=x'], { cwd: repository })
    expect(existsSync(mark)).toBe(true)
  })

  test('reaches no host but over https, and no command', async () => {
    for (const url of ['ext::sh -c true', 'git://127.0.0.1:1/x', 'ssh://127.0.0.1:1/x', 'http://127.0.0.1:1/x']) {
      await expect(runGit(['ls-remote', url])).rejects.toThrow(/transport '\w+' not allowed/)
    }
  })
})

describe('git on the operator’s repository', () => {
  test('sees the operator’s settings, and never asks at a terminal', async () => {
    using folder = openFolder()
    const operator = createOperator(folder.path)
    writeFileSync(join(operator.home, '.gitconfig'), '[user]\n\tnickname = ada\n')
    expect(textOf(await operatorGit(operator)(['config', 'user.nickname']))).toBe('ada')
  })
})

describe('endings', () => {
  test('an unexpected code is an error with the line that says why; an expected one is an answer', async () => {
    const failed = runGit(['rev-parse', '--verify', 'x'], { gitDir: '/nonexistent' })
    await expect(failed).rejects.toMatchObject({ code: 'git', exit: 128 })
    await expect(failed).rejects.toThrow("git rev-parse: fatal: not a git repository: '/nonexistent'")
    expect((await runGit(['rev-parse'], { gitDir: '/nonexistent', codes: [128] })).code).toBe(128)
  })

  test('a folder that is not there', async () => {
    await expect(runGit(['status'], { cwd: '/nonexistent' })).rejects.toMatchObject({ exit: 'cwd' })
    await expect(runGit(['status'], { cwd: '/etc/passwd' })).rejects.toBeInstanceOf(GitFailed)
  })

  test('no git at all says what to install', async () => {
    const without = operatorGit({ path: '/nonexistent', home: '/nonexistent' })
    await expect(without(['status'])).rejects.toMatchObject({
      code: 'setup',
      hint: expect.stringContaining('install git'),
    })
  })

  test('output is cut while it is read', async () => {
    using folder = openFolder()
    const endless = program(join(folder.path, 'endless'), 'yes x')
    const git = operatorGit(createOperator(folder.path))
    const alias = ['-c', `alias.endless=!'${endless}'`, 'endless']
    const answer = await git(alias, { maxBytes: 1000, cut: true })
    expect(answer).toMatchObject({ cut: true })
    expect(answer.stdout).toHaveLength(1000)
    await expect(git(alias, { maxBytes: 1000 })).rejects.toMatchObject({ exit: 'output' })
  })

  test('stopping ends everything that git started, also what ignores it', async () => {
    using folder = openFolder()
    const pidFile = join(folder.path, 'pid')
    const stubborn = program(
      join(folder.path, 'stubborn'),
      `trap '' TERM; echo $$ > '${pidFile}'; while :; do sleep 1; done`,
    )
    const stop = new AbortController()
    const git = operatorGit(createOperator(folder.path))
    const running = git(['-c', `alias.wait=!'${stubborn}'`, 'wait'], { signal: stop.signal })
    const ended = running.catch((error: unknown) => error)
    await vi.waitFor(() => expect(readFileSync(pidFile, 'utf8')).toMatch(/^\d+\n$/), { timeout: 10_000 })
    stop.abort(new Error('stopped'))
    expect(await ended).toMatchObject({ message: 'stopped' })
    expect(isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false)
  })

  test('what git says is one printable line', () => {
    expect(lastLine('hint: a\nfatal: why\nhint: b\n')).toBe('fatal: why')
    expect(lastLine('one\ntwo\n\n')).toBe('two')
    expect(printable('a\u001B[31m\nb\u202E')).toBe('a\u{FFFD}[31m\nb\u{FFFD}')
  })
})
