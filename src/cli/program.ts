import { readFile } from 'node:fs/promises'
import { Command, CommanderError } from 'commander'
import { readConfig } from '../config.ts'
import { logged, OvernightError } from '../errors.ts'
import { type Context, exitCodes, type Terminal } from './context.ts'

type Add = (program: Command, context: Context) => void

/** In the order of the help. Only the file of the command that is asked for is read: all of them take a second of one processor. */
const parts: readonly { commands: readonly string[]; add: () => Promise<Add> }[] = [
  { commands: ['init', 'new', 'schema'], add: async () => (await import('./init.ts')).addInit },
  { commands: ['check'], add: async () => (await import('./check.ts')).addCheck },
  { commands: ['next'], add: async () => (await import('./next.ts')).addNext },
  { commands: ['up'], add: async () => (await import('./up.ts')).addUp },
  { commands: ['server', 'worker'], add: async () => (await import('./server.ts')).addServer },
  { commands: ['fire'], add: async () => (await import('./fire.ts')).addFire },
  { commands: ['pause', 'resume'], add: async () => (await import('./pause.ts')).addPause },
  { commands: ['backfill'], add: async () => (await import('./backfill.ts')).addBackfill },
  { commands: ['routines'], add: async () => (await import('./routines.ts')).addRoutines },
  { commands: ['history', 'rollback'], add: async () => (await import('./history.ts')).addHistory },
  { commands: ['plan'], add: async () => (await import('./plan.ts')).addPlan },
  { commands: ['run', 'approve'], add: async () => (await import('./run.ts')).addRun },
  { commands: ['trial'], add: async () => (await import('./trial.ts')).addTrial },
  { commands: ['runs', 'show', 'deny', 'cancel', 'retry'], add: async () => (await import('./runs.ts')).addRuns },
  { commands: ['prompt'], add: async () => (await import('./prompt.ts')).addPrompt },
  { commands: ['logs'], add: async () => (await import('./logs.ts')).addLogs },
  {
    commands: ['deliveries', 'delivery', 'replay', 'slots'],
    add: async () => (await import('./deliveries.ts')).addDeliveries,
  },
  { commands: ['pulls', 'merge', 'close'], add: async () => (await import('./pulls.ts')).addPulls },
  { commands: ['sign-in'], add: async () => (await import('./sign-in.ts')).addSignIn },
  { commands: ['alerts'], add: async () => (await import('./alerts.ts')).addAlerts },
  { commands: ['sources'], add: async () => (await import('./sources.ts')).addSources },
  { commands: ['connectors'], add: async () => (await import('./connectors.ts')).addConnectors },
  { commands: ['token'], add: async () => (await import('./token.ts')).addToken },
  { commands: ['secret'], add: async () => (await import('./secret.ts')).addSecret },
  { commands: ['messages', 'resend', 'signing-secret'], add: async () => (await import('./messages.ts')).addMessages },
  { commands: ['doctor'], add: async () => (await import('./doctor.ts')).addDoctor },
  { commands: ['demo'], add: async () => (await import('./demo.ts')).addDemo },
]

/** Runs one command line; resolves with the exit code: 0, 1 (something of yours), 2 (usage or setup), 70 (our mistake). */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const result = { code: 0 as number }
  const context: Context = {
    ...terminal,
    config: () => readConfig(terminal.env, terminal.cwd),
    exit: (code) => {
      result.code = code
    },
  }
  const program = new Command('overnight')
    .description('Coding agents as routines: a file in a folder becomes a pull request by morning.')
    .version(await readVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showSuggestionAfterError()
    .helpCommand(false)
  const asked = parts.filter(({ commands }) => commands.includes(argv[0] ?? ''))
  // Help names all of them, and what is misspelt is compared with all.
  for (const { add } of asked.length > 0 ? asked : parts) (await add())(program, context)
  for (const command of program.commands.flatMap((one) => [one, ...one.commands]))
    command.exitOverride().configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return result.code
  } catch (error) {
    return explain(error, terminal)
  }
}

async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof OvernightError) {
    terminal.err(`overnight: ${error.message}\n`)
    if (error.hint) terminal.err(`  → ${error.hint}\n`)
    return error.code === 'setup' ? exitCodes.usage : exitCodes.theirs
  }
  const { error: sentence, stack = sentence } = logged(error)
  terminal.err(`overnight: an unexpected error, please report it\n${stack}\n`)
  return exitCodes.ours
}
