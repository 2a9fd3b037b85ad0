import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** The person whose repositories these are: a HOME of their own, without any settings at first. */
export type Operator = { path: string; home: string }

/** A folder that is gone after the test. Spaces and umlauts are part of it on purpose. */
export function openFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'overnight tést-'))
  return {
    path,
    [Symbol.dispose]: () => {
      execFileSync('chmod', ['-R', 'u+rwX', path])
      rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

export function createOperator(folder: string): Operator {
  const home = join(folder, 'home of the operator')
  mkdirSync(home, { recursive: true })
  return { path: process.env['PATH'] ?? '', home }
}

/** git as the operator would run it; the answer is stdout without the last line end. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    env: gitEnvironment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd()
}

export const gitEnvironment = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  LC_ALL: 'C',
  // After each commit git would start another one of itself that looks whether there is something to tidy up.
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'maintenance.auto',
  GIT_CONFIG_VALUE_0: 'false',
}

/** A pipe: whoever opens it to read waits for a writer. */
export function makePipe(path: string): void {
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', path])
}

/** Path → text; null removes the file. */
export type Files = Record<string, string | null>

export function writeFiles(folder: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    if (text === null) {
      rmSync(join(folder, name))
      continue
    }
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

/** A repository with one commit on `main`. */
export function createRepository(
  path: string,
  files: Files = { 'README.md': '# Shop\n' },
  options: readonly string[] = [],
): string {
  mkdirSync(path, { recursive: true })
  git(path, 'init', '--quiet', '--initial-branch=main', ...options)
  commitFiles(path, files)
  return path
}

export function commitFiles(path: string, files: Files, message = 'a change'): string {
  writeFiles(path, files)
  git(path, 'add', '--all')
  git(path, 'commit', '--quiet', '--allow-empty', '-m', message)
  return git(path, 'rev-parse', 'HEAD')
}
