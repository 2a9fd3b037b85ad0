import type { Command } from 'commander'
import type { Context } from './context.ts'
import { openLog } from './open-log.ts'

export function addUp(program: Command, context: Context): void {
  program
    .command('up')
    .description('start the service: scheduler, workers, pages')
    .option('--json', 'print the address and a sign-in link as one JSON object')
    .action(async (options: { json?: true }) => {
      const config = context.config()
      const { log, redaction } = openLog(config.logLevel)
      const { openService } = await import('../service.ts')
      await using service = await openService(config, { log, redaction })
      const { url } = await service.listen()
      // Before anything is said: who reads it may stop us at once.
      const told = new Promise<void>((resolve) => context.onSignal(resolve))
      const signIn = new URL(service.signInLink(), url).href
      if (options.json) context.out(`${JSON.stringify({ url, signIn })}\n`)
      else {
        const once = '(one browser, once, within 15 minutes; another: overnight sign-in)'
        context.out(`Overnight is up at ${url}\n  open  ${signIn}\n        ${once}\n`)
      }
      await Promise.race([told, service.broken])
      log.info('stopping')
    })
}
