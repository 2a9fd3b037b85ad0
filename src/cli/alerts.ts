import type { Command } from 'commander'
import type { AlertsJson } from '../http/api/alerts.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { localTime, table } from './table.ts'

export function addAlerts(program: Command, context: Context): void {
  program
    .command('alerts')
    .description(
      'what should have happened and did not: slots without a row, runs nobody starts, routines that were paused or cannot be fired',
    )
    .option('--all', 'those that were made good, too')
    .option('--json', 'print JSON')
    .action(async ({ all, json }: { all?: true; json?: true }) => {
      await using client = await connect(context)
      const { alerts } = await client.json<AlertsJson>(`/v1/alerts?all=${all ? 'yes' : 'no'}`)
      if (json) return context.out(`${JSON.stringify(alerts)}\n`)
      if (alerts.length === 0) return context.out('no alerts\n')
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const rows = alerts.map(({ raisedAt, clearedAt, message }) => [
        localTime(raisedAt, zone),
        clearedAt === null ? 'open' : localTime(clearedAt, zone),
        visible(message),
      ])
      context.out(table([['since', 'made good', 'what'], ...rows]))
    })
}
