import type { Command } from 'commander'
import { BadRequest } from '../errors.ts'
import type { NextJson } from '../http/api/next.ts'
import { firstComing } from '../triggers/schedule/coming.ts'
import { readFolder } from './check.ts'
import { connectLive } from './client.ts'
import type { Context } from './context.ts'
import { localTime, table } from './table.ts'

/** Each line is a third of a millisecond of the service, which does nothing else meanwhile. */
const [briefly, withDays, mostLines] = ['100', '1000', 10_000]

type Look = { days: number; limit: number; routine?: string }
type Fire = NextJson['fires'][number]

export function addNext(program: Command, context: Context): void {
  program
    .command('next')
    .argument('[routine]', 'only of this routine')
    .description('every coming fire, with local time and zone; days on which the clocks change are marked')
    .option('--routine <name>', 'only of this routine')
    .option('--days <n>', 'how far to look; default: 7')
    .option('--limit <n>', `how many lines; default: ${briefly}, with --days ${withDays}`)
    .option('--json', 'print JSON')
    .action(
      async (name: string | undefined, options: { routine?: string; days?: string; limit?: string; json?: true }) => {
        const routine = name ?? options.routine
        const { days = '7', limit = options.days === undefined ? briefly : withDays } = options
        const look = {
          days: wholeNumber('--days', days, 100_000),
          limit: wholeNumber('--limit', limit, mostLines),
          ...(routine === undefined ? {} : { routine }),
        }
        const { fires, more, now } = await find(context, look)
        if (options.json) context.out(`${JSON.stringify(fires)}\n`)
        else if (fires.length === 0) context.out('nothing is due: no routine has a schedule in that time\n')
        else context.out(table(fires.map((fire) => [fire.local, fire.zone, fire.routine, marks(fire)])))
        if (more) context.err(othersUntil(new Date(Date.parse(now) + look.days * 86_400_000)))
      },
    )
}

/** What the live service has in force; without one, what the folder says. */
async function find(context: Context, look: Look): Promise<NextJson> {
  await using live = await connectLive(context)
  if (live) {
    const query = new URLSearchParams({ ...look, days: `${look.days}`, limit: `${look.limit}` })
    return live.json<NextJson>(`/v1/next?${query.toString()}`)
  }
  const { routines } = await readFolder(context)
  const wanted = routines.filter(({ name }) => look.routine === undefined || name === look.routine)
  if (look.routine !== undefined && wanted.length === 0)
    throw new BadRequest(`there is no routine ${JSON.stringify(look.routine)}`, 'overnight check')
  const from = new Date()
  const { fires, more } = firstComing(wanted, { ...look, from })
  return { fires: fires.map((fire) => ({ ...fire, paused: false })), more, now: from.toISOString() }
}

function othersUntil(end: Date): string {
  const until = localTime(end, Intl.DateTimeFormat().resolvedOptions().timeZone)
  return `… and more until ${until}: see them with --limit (${mostLines} at most), or of one routine, or for fewer --days\n`
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
