import { StepFailed } from '../../errors.ts'

type Environment = Readonly<Record<string, string>>

const settable = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Some shell that may be /bin/sh refuses these, or has a value of its own for them. */
const ofTheShell =
  /^(_|IFS|LINENO|OPTARG|OPTERR|OPTIND|PPID|E?UID|SHLVL|SHELLOPTS|S?RANDOM|SECONDS|EPOCH\w+|DIRSTACK|FUNCNAME|GROUPS|PIPESTATUS|BASH\w*)$/
/** Linux: what one variable, with its closing null character, may take at most (MAX_ARG_STRLEN). */
const variableBytes = 128 * 1024
/** Linux gives arguments and environment a quarter of the stack, 2 MiB as a rule; the rest is for their addresses. */
const allBytes = 1_900_000
/** What shells add by themselves. */
const added = ['PWD', 'OLDPWD', 'SHLVL', '_']

/**
 * The environment as two lines of POSIX sh: the folders programs are found in, and what exports it. Throws StepFailed('no_agent')
 * for what would not arrive as it is, rather than start a command with another environment.
 */
export function environmentLines(env: Environment, argv: readonly string[]): string {
  const entries = Object.entries(env)
  for (const [name, value] of entries) {
    const why = whyNot(name, value)
    if (why !== undefined) throw refused(`the variable ${JSON.stringify(name)} ${why}`)
  }
  const bytes = [...argv, ...entries.map((entry) => entry.join('='))].reduce(
    (sum, word) => sum + Buffer.byteLength(word) + 1,
    0,
  )
  if (bytes > allBytes) throw refused(`its arguments and environment are ${bytes} bytes, more than ${allBytes}`)
  const pairs = entries.map(([name, value]) => `${name}=${quoted(value)}`)
  return `path=${quoted(env['PATH'] ?? '')}\nexport ${pairs.join(' ')}\n`
}

/** env(1) with nothing to add: it takes away what the shell exports and nobody gave. */
export function withoutAdditions(env: Environment): string[] {
  return ['/usr/bin/env', ...added.filter((name) => !(name in env)).flatMap((name) => ['-u', name]), '--']
}

function whyNot(name: string, value: string): string | undefined {
  if (!settable.test(name)) return 'is no name a shell can export: write letters, digits and _, a digit not first'
  if (ofTheShell.test(name)) return 'belongs to the shell that starts the command: take another name'
  if (value.includes('\0')) return 'holds a null character: remove it'
  const bytes = Buffer.byteLength(`${name}=${value}`) + 1
  return bytes > variableBytes ? `takes ${bytes} bytes, more than ${variableBytes}: hand it over in a file` : undefined
}

/** On one line, because a shell reads one without a process of its own; `newline` is set where it is read. */
const quoted = (value: string) => `'${value.replaceAll("'", `'\\''`).replaceAll('\n', `'"$newline"'`)}'`

function refused(why: string): StepFailed {
  const hint = 'change the environment of the command as the message says'
  return new StepFailed('no_agent', `the command could not be started: ${why}`, { hint })
}
