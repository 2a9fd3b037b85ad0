import type { Command } from 'commander'
import { createLog } from '../log.ts'
import { openService } from '../service.ts'
import type { Context } from './context.ts'

export function addUp(program: Command, context: Context): void {
  program
    .command('up')
    .description('start the service: scheduler, workers, pages')
    .action(async () => {
      const config = context.config()
      const log = createLog(config.logLevel)
      await using service = await openService(config, { log })
      const { url } = await service.listen()
      context.out(
        `Overnight is up at ${url}\n  open  ${new URL(service.signInLink(), url).href}\n        (one browser, once, within 15 minutes; another: overnight sign-in)\n`,
      )
      await new Promise<void>((resolve) => context.onSignal(resolve))
      log.info('stopping')
    })
}
