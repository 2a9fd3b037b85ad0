import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { SetupError } from '../errors.ts'
import type { Context } from './context.ts'
import { openLog } from './open-log.ts'

/** The two halves of `up`, for many processes on one PostgreSQL. */
export function addServer(program: Command, context: Context): void {
  program
    .command('server')
    .description('pages, API and schedules; workers do the work (needs DATABASE_URL)')
    .action(async () => {
      const config = requireShared(context, 'server')
      const { log, redaction } = openLog(config.logLevel)
      const { openService } = await import('../service.ts')
      await using service = await openService(config, { log, redaction, role: 'server' })
      const { url } = await service.listen()
      // Before anything is said: who reads it may stop us at once.
      const told = new Promise<void>((resolve) => context.onSignal(resolve))
      context.out(`Overnight is up at ${url} (sign in: overnight sign-in)\n`)
      await Promise.race([told, service.broken])
      log.info('stopping')
    })

  program
    .command('worker')
    .description('takes runs; start as many as you like (needs DATABASE_URL)')
    .action(async () => {
      const config = requireShared(context, 'worker')
      const { log, redaction } = openLog(config.logLevel)
      const hurry = new AbortController()
      const hurryUp = () => {
        if (hurry.signal.aborted) return
        log.info('told again: runs at work are given back now')
        hurry.abort()
      }
      const { openWorkerProcess } = await import('../service/worker-process.ts')
      await using worker = await openWorkerProcess(config, { log, redaction, hurry: hurry.signal })
      const told = toldToStop(context, hurryUp)
      context.out(`Overnight takes runs here, ${config.concurrency} at a time\n`)
      await Promise.race([told, worker.broken])
      log.info('stopping: runs at work may go on for a while; told once more, they are given back at once')
    })
}

/** A parent that passes signals on (npx, an older Node in front) makes two of one Ctrl-C, within milliseconds. */
const echoMs = 500

/** Resolves the first time; each time later, but for its echo, is `again`. */
function toldToStop(context: Context, again: () => void): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    context.onSignal(() => {
      if (firstAt !== undefined && performance.now() - firstAt > echoMs) again()
      firstAt ??= performance.now()
      resolve()
    })
  })
}

function requireShared(context: Context, command: string): Config {
  const config = context.config()
  if (config.databaseUrl !== undefined) return config
  throw new SetupError(
    `overnight ${command} needs DATABASE_URL: the embedded store is for one process`,
    'set DATABASE_URL to a PostgreSQL, or use overnight up',
  )
}
