import type { Command } from 'commander'
import { BadRequest } from '../errors.ts'
import { upcoming } from '../triggers/schedule/upcoming.ts'
import { readFolder } from './check.ts'
import type { Context } from './context.ts'
import { table } from './table.ts'

export function addNext(program: Command, context: Context): void {
  program
    .command('next')
    .argument('[routine]', 'only of this routine')
    .description('every coming fire, with local time and zone; days on which the clocks change are marked')
    .option('--days <n>', 'how far to look', '7')
    .option('--limit <n>', 'how many lines', '100')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { days: string; limit: string; json?: true }) => {
      const { routines } = await readFolder(context)
      const wanted = routines.filter((routine) => name === undefined || routine.name === name)
      if (name !== undefined && wanted.length === 0)
        throw new BadRequest(`there is no routine ${JSON.stringify(name)}`, 'overnight check')
      const schedules = wanted.flatMap((routine) =>
        routine.schedules.map((schedule) => ({ ...schedule, routine: routine.name })),
      )
      const fires = upcoming(schedules, new Date(), wholeNumber('--days', options.days))
        .take(wholeNumber('--limit', options.limit))
        .map(({ schedule, at, local, transitionDay }) => ({
          routine: schedule.routine,
          at: at.toISOString(),
          local,
          zone: schedule.timezone,
          transitionDay,
        }))
        .toArray()
      if (options.json) return context.out(`${JSON.stringify(fires)}\n`)
      if (fires.length === 0) return context.out('nothing is due: no routine has a schedule in that time\n')
      context.out(
        table(
          fires.map((fire) => [
            fire.local,
            fire.zone,
            fire.routine,
            fire.transitionDay ? '← the clocks change that day' : '',
          ]),
        ),
      )
    })
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 100_000)
    throw new BadRequest(`${option} ${text} is not a whole number from 1 to 100000`)
  return value
}
