import type { Command } from 'commander'
import { BadRequest } from '../errors.ts'
import type { NextJson } from '../http/next-api.ts'
import { comingFires } from '../triggers/schedule/coming.ts'
import { readFolder } from './check.ts'
import { connectLive } from './client.ts'
import type { Context } from './context.ts'
import { table } from './table.ts'

type Look = { days: number; limit: number; routine?: string }
type Fire = NextJson['fires'][number]

export function addNext(program: Command, context: Context): void {
  program
    .command('next')
    .argument('[routine]', 'only of this routine')
    .description('every coming fire, with local time and zone; days on which the clocks change are marked')
    .option('--routine <name>', 'only of this routine')
    .option('--days <n>', 'how far to look', '7')
    .option('--limit <n>', 'how many lines', '100')
    .option('--json', 'print JSON')
    .action(
      async (name: string | undefined, options: { routine?: string; days: string; limit: string; json?: true }) => {
        const routine = name ?? options.routine
        const look = {
          days: wholeNumber('--days', options.days, 100_000),
          limit: wholeNumber('--limit', options.limit, 10_000),
          ...(routine === undefined ? {} : { routine }),
        }
        const fires = await find(context, look)
        if (options.json) return context.out(`${JSON.stringify(fires)}\n`)
        if (fires.length === 0) return context.out('nothing is due: no routine has a schedule in that time\n')
        context.out(table(fires.map((fire) => [fire.local, fire.zone, fire.routine, marks(fire)])))
      },
    )
}

/** What the live service has in force; without one, what the folder says. */
async function find(context: Context, look: Look): Promise<Fire[]> {
  await using live = await connectLive(context)
  if (live) {
    const query = new URLSearchParams({ ...look, days: `${look.days}`, limit: `${look.limit}` })
    return (await live.json<NextJson>(`/v1/next?${query.toString()}`)).fires
  }
  const { routines } = await readFolder(context)
  const wanted = routines.filter(({ name }) => look.routine === undefined || name === look.routine)
  if (look.routine !== undefined && wanted.length === 0)
    throw new BadRequest(`there is no routine ${JSON.stringify(look.routine)}`, 'overnight check')
  return comingFires(wanted, { ...look, from: new Date() }).map((fire) => ({ ...fire, paused: false }))
}

function marks({ transitionDay, paused }: Fire): string {
  return [...(paused ? ['paused'] : []), ...(transitionDay ? ['← the clocks change that day'] : [])].join(' ')
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new BadRequest(`${option} ${text} is not a whole number from 1 to ${max}`)
  return value
}
