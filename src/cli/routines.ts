import type { Command } from 'commander'
import type { RoutinesJson } from '../http/api/routines.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { localTime, table } from './table.ts'

type Options = { limit: string; after?: string; json?: true }

export function addRoutines(program: Command, context: Context): void {
  program
    .command('routines')
    .description('the routines in force: when each comes next, and what is the matter with it')
    .option('--limit <n>', 'how many, at most 1000', '100')
    .option('--after <name>', 'go on after this one')
    .option('--json', 'print JSON')
    .action(async ({ limit, after, json }: Options) => {
      await using client = await connect(context)
      const query = new URLSearchParams({ limit, ...(after === undefined ? {} : { after }) })
      const list = await client.json<RoutinesJson>(`/v1/routines?${query.toString()}`)
      if (json) return context.out(`${JSON.stringify(list)}\n`)
      if (list.total === 0) return context.out('no routines yet: overnight init\n')
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const rows = list.routines.map((routine) => [
        routine.name,
        routine.next === null ? '' : localTime(routine.next, zone),
        routine.repository ?? '',
        visible([...marksOf(routine, list.paused !== null), routine.description].join(' · ')),
      ])
      context.out(table([['routine', 'next', 'repository', 'what'], ...rows]))
      if (list.after !== null)
        context.err(`  ${list.total} in all: overnight routines --limit ${limit} --after ${list.after}\n`)
    })
}

function marksOf({ paused, rolledBackFrom, error }: RoutinesJson['routines'][number], isAllPaused: boolean): string[] {
  return [
    ...(error === null ? [] : ['file broken']),
    ...(rolledBackFrom === null ? [] : ['rolled back']),
    ...(paused === null ? [] : ['paused']),
    ...(isAllPaused ? ['all paused'] : []),
  ]
}
