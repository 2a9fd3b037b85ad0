import { Command, CommanderError } from 'commander'
import { readConfig } from '../config.ts'
import { logged, OvernightError } from '../errors.ts'
import { addAlerts } from './alerts.ts'
import { addBackfill } from './backfill.ts'
import { addCheck } from './check.ts'
import { type Context, exitCodes, type Terminal } from './context.ts'
import { addDeliveries } from './deliveries.ts'
import { addDemo } from './demo.ts'
import { addDoctor } from './doctor.ts'
import { addFire } from './fire.ts'
import { addHistory } from './history.ts'
import { addInit } from './init.ts'
import { addLogs } from './logs.ts'
import { addMessages } from './messages.ts'
import { addNext } from './next.ts'
import { addPause } from './pause.ts'
import { addPlan } from './plan.ts'
import { addPulls } from './pulls.ts'
import { addRoutines } from './routines.ts'
import { addRun } from './run.ts'
import { addRuns } from './runs.ts'
import { addServer } from './server.ts'
import { addSignIn } from './sign-in.ts'
import { addSources } from './sources.ts'
import { addToken } from './token.ts'
import { addUp } from './up.ts'

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
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showSuggestionAfterError()
    .helpCommand(false)
  const parts = [
    addInit,
    addCheck,
    addNext,
    addUp,
    addServer,
    addFire,
    addPause,
    addBackfill,
    addRoutines,
    addHistory,
    addPlan,
    addRun,
    addRuns,
    addLogs,
    addDeliveries,
    addPulls,
    addSignIn,
    addAlerts,
    addSources,
    addToken,
    addMessages,
    addDoctor,
    addDemo,
  ]
  for (const add of parts) add(program, context)
  for (const command of program.commands.flatMap((one) => [one, ...one.commands]))
    command.exitOverride().configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return result.code
  } catch (error) {
    return explain(error, terminal)
  }
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
