import { spawn, type ChildProcess } from 'node:child_process'
import { statSync } from 'node:fs'
import { OvernightError, SetupError } from '../errors.ts'
import { hear, type Heard } from './hear.ts'

export type GitOptions = {
  cwd?: string
  gitDir?: string
  /** Added to the environment, which is otherwise the flavour's own. */
  env?: Record<string, string>
  input?: Buffer | string
  /** More on stdout than this (default 64 MiB) ends git: with `cut` what was read is the answer, else GitFailed `output`. */
  maxBytes?: number
  cut?: boolean
  /** Takes stdout as it comes; the answer holds none of it then. What it throws ends git and is thrown. */
  each?: (chunk: Buffer) => void
  /** Exit codes that are answers; default `[0]`. */
  codes?: readonly number[]
  /** For input that others made: 120 s of processor time and 2 GiB of address space. */
  bounded?: boolean
  /** No file that git writes gets larger: `File too large`. */
  mostFileBytes?: number | undefined
  signal?: AbortSignal | undefined
}
export type GitAnswer = { code: number; stdout: Buffer; cut: boolean }
export type Git = (args: readonly string[], options?: GitOptions) => Promise<GitAnswer>

/** git ended in a way its caller did not ask for. `exit` is its code, a signal's name, `output` (it said too much) or `cwd`. */
export class GitFailed extends OvernightError {
  readonly exit: number | string
  /** The end of what it wrote on stderr, control characters removed. */
  readonly stderr: string
  constructor(verb: string, exit: number | string, stderr: string) {
    super(`git ${verb}: ${lastLine(stderr) || `ended with ${exit}`}`, { code: 'git' })
    this.exit = exit
    this.stderr = stderr
  }
  get lastLine(): string {
    return lastLine(this.stderr) || this.message
  }
}

/** ulimit counts blocks of 512 bytes in files, and KiB in memory. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ulimit.html */
function limitsOf({ bounded = false, mostFileBytes }: GitOptions): string[] {
  const time = bounded ? ['ulimit -t 120', 'ulimit -v 2097152 2>/dev/null'] : []
  // Killed by the signal, git would not say of what.
  const files = mostFileBytes === undefined ? [] : ["trap '' XFSZ", `ulimit -f ${Math.ceil(mostFileBytes / 512)}`]
  return [...time, ...files]
}

const hermeticPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/run/current-system/sw/bin'
export const identity = { name: 'Overnight', email: 'overnight@localhost' } as const
const identityVariables = {
  GIT_AUTHOR_NAME: identity.name,
  GIT_AUTHOR_EMAIL: identity.email,
  GIT_COMMITTER_NAME: identity.name,
  GIT_COMMITTER_EMAIL: identity.email,
}
const hermeticSettings = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'safe.directory=*',
  'protocol.allow=never',
  'protocol.file.allow=always',
  'protocol.https.allow=always',
  'credential.helper=',
  'gc.auto=0',
  'maintenance.auto=false',
  'submodule.recurse=false',
].flatMap((setting) => ['-c', setting])

const hermetic: Flavour = {
  settings: hermeticSettings,
  env: {
    ...identityVariables,
    PATH: hermeticPath,
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
  },
}

/** git on our own folders: nothing of this machine's or anybody's settings reaches it, and it runs no hook. */
export const runGit: Git = createGit(hermetic)

/** The same as a process whose streams are the caller's, who ends it. */
export const startGit = (args: readonly string[], options: Pick<GitOptions, 'env'>): ChildProcess =>
  start(hermetic, args, options)

/** git on the operator's own repository: their settings apply (safe.directory, hooks), but never their terminal. */
export function operatorGit(operator: { path: string; home: string }): Git {
  return createGit({ settings: [], env: { ...identityVariables, PATH: operator.path, HOME: operator.home } })
}

export function textOf(answer: GitAnswer): string {
  return answer.stdout.toString('utf8').trimEnd()
}

type Flavour = { settings: readonly string[]; env: Record<string, string> }

function createGit(flavour: Flavour): Git {
  return async (args, options = {}) => {
    options.signal?.throwIfAborted()
    const { cwd } = options
    if (cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
      throw new GitFailed(verbOf(args), 'cwd', `fatal: not a git repository: ${cwd} is not a folder`)
    }
    const heard = await hear(start(flavour, args, options), options)
    options.signal?.throwIfAborted()
    return answerOf(heard, args, options)
  }
}

function start(flavour: Flavour, args: readonly string[], options: GitOptions): ChildProcess {
  const { gitDir, cwd = '/', env } = options
  const argv = [...flavour.settings, ...(gitDir === undefined ? [] : [`--git-dir=${gitDir}`]), ...args]
  const limits = limitsOf(options)
  const script = [...limits, 'exec git "$@"'].join('; ')
  const [command, argvOfCommand] = limits.length > 0 ? ['/bin/sh', ['-c', script, 'git', ...argv]] : ['git', argv]
  return spawn(command, argvOfCommand, {
    cwd,
    env: {
      ...flavour.env,
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '/bin/false',
      GIT_OPTIONAL_LOCKS: '0',
      ...env,
    },
    // A group of its own, so that ending it also ends what it started (the other side of a push, and that side's hooks).
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

function answerOf(heard: Heard, args: readonly string[], { cut = false, codes = [0] }: GitOptions): GitAnswer {
  const { exit, stdout, stderr } = heard
  if (heard.spawnError !== undefined) {
    throw new SetupError('git could not be started', 'install git 2.38 or newer and start again', heard.spawnError)
  }
  if ('failed' in heard) throw heard.failed
  if (heard.cut && cut) return { code: 0, stdout, cut }
  const verb = verbOf(args)
  if (heard.cut) throw new GitFailed(verb, 'output', stderr)
  if (typeof exit === 'string' || !codes.includes(exit)) throw new GitFailed(verb, exit, stderr)
  return { code: exit, stdout, cut: false }
}

function verbOf(args: readonly string[]): string {
  return args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-c') ?? ''
}

/** The line that says why: the last `fatal:`, `error:` or `remote:` line, else the last of all. */
export function lastLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim())
  const filled = lines.filter((line) => line !== '')
  return (filled.findLast((line) => /^(fatal|error):/.test(line)) ?? filled.at(-1) ?? '').slice(0, 500)
}
