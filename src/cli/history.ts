import type { Command } from 'commander'
import type { HistoryJson, PutBackJson } from '../http/api/history.ts'
import { BadRequest } from '../errors.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { localTime, table } from './table.ts'

const said: Record<HistoryJson['entries'][number]['act'], string> = {
  apply: 'in force',
  remove: 'file removed',
  rollback: 'rolled back to',
  undo_rollback: "the file's own again",
  pause: 'paused',
  resume: 'resumed',
}

export function addHistory(program: Command, context: Context): void {
  program
    .command('history')
    .argument('<routine>', 'name of a routine')
    .description('its versions: since when each was in force, its commit, and by whose act')
    .option('--json', 'print JSON')
    .action(async (routine: string, { json }: { json?: true }) => {
      await using client = await connect(context)
      const history = await client.json<HistoryJson>(`/v1/routines/${encodeURIComponent(routine)}/history`)
      if (json) return context.out(`${JSON.stringify(history)}\n`)
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const rows = history.entries.map(({ at, act, hash, commit, by, reason }) => [
        localTime(at, zone),
        said[act],
        hash ? `${short(hash)}${hash === history.inForce ? ' *' : ''}` : '',
        commit ? short(commit) : '',
        visible(reason === null ? by : `${by}: ${reason}`),
      ])
      context.out(table([['when', 'what', 'version', 'commit', 'by'], ...rows]))
      if (history.rolledBackFrom !== null) context.err(untilItChanges(routine, history.rolledBackFrom))
    })

  program
    .command('rollback')
    .argument('<routine>', 'name of a routine')
    .description('put the version before in force at once; it stays until the file changes')
    .option('--to <hash>', 'the beginning of a version, as `history` shows it')
    .option('--undo', "put the file's own text in force again")
    .option('--json', 'print JSON')
    .action(async (routine: string, { to, undo, json }: { to?: string; undo?: true; json?: true }) => {
      if (undo && to !== undefined) throw new BadRequest('--undo and --to exclude each other', 'write one of them')
      await using client = await connect(context)
      const path = `/v1/routines/${encodeURIComponent(routine)}/${undo ? 'undo-rollback' : 'rollback'}`
      const back = await client.post<PutBackJson>(path, to === undefined ? {} : { to })
      if (json) return context.out(`${JSON.stringify(back)}\n`)
      context.out(`in force: ${back.routine} ${short(back.hash)}\n`)
      if (back.rolledBackFrom !== null) context.err(untilItChanges(routine, back.rolledBackFrom))
    })
}

const short = (hash: string): string => hash.slice(0, 12)

function untilItChanges(routine: string, from: string): string {
  return `  the file says ${short(from)}: that is left out until it changes, or overnight rollback ${routine} --undo\n`
}
