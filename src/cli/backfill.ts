import type { Command } from 'commander'
import { BadRequest } from '../errors.ts'
import type { BackfillJson } from '../http/api/backfill.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { table } from './table.ts'

type Options = { from: string; to: string; dryRun?: true; json?: true }

export function addBackfill(program: Command, context: Context): void {
  program
    .command('backfill')
    .argument('<routine>', 'name of a routine with a schedule')
    .description(
      'fire every slot of a past window, each once; the same window twice fires nothing anew (`runs` lists them, not `slots`)',
    )
    .requiredOption(
      '--from <time>',
      'a date or a time, such as 2026-03-01 or 2026-03-01T02:00 (here), or with an offset',
    )
    .requiredOption('--to <time>', 'the same; this instant itself does not count')
    .option('--dry-run', 'only list the slots')
    .option('--json', 'print JSON')
    .action(async (routine: string, { from, to, dryRun, json }: Options) => {
      const window = { from: instantOf('--from', from), to: instantOf('--to', to) }
      await using client = await connect(context)
      const path = `/v1/routines/${encodeURIComponent(routine)}/backfill`
      const planned = await client.post<BackfillJson>(path, { ...window, dryRun: true })
      if (!json) context.out(listOf(planned))
      const isOver = dryRun === true || planned.slots.length === 0
      const done = isOver ? planned : await client.post<BackfillJson>(path, window)
      if (json) return context.out(`${JSON.stringify(done)}\n`)
      if (isOver) return
      const fresh = done.slots.filter((slot) => slot.fresh).length
      const before = done.slots.length - fresh
      context.out(`fired: ${fresh}${before > 0 ? ` (${before} were fired before)` : ''}\n`)
      if (done.next !== null) context.err(`  → overnight backfill ${routine} --from ${done.next} --to ${window.to}\n`)
    })
}

function listOf({ slots, next }: BackfillJson): string {
  if (slots.length === 0) return 'no slot lies in that window\n'
  const more = next === null ? '' : `and more from ${next} on: one call fires ${slots.length}\n`
  return table(slots.map(({ local, zone }) => [local, zone])) + more
}

/** A date or a time without an offset is of this machine's zone. */
function instantOf(option: string, text: string): string {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text)
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?$/.test(text)
  const at = new Date(isDate ? `${text}T00:00` : text)
  if ((isDate || isTime) && !Number.isNaN(at.getTime())) return at.toISOString()
  throw new BadRequest(`${option} ${text} is no date or time`, 'write 2026-03-01 or 2026-03-01T02:00')
}
