import { sql } from '../../../src/ledger/sql.ts'
import { createLog } from '../../../src/log.ts'
import { parseOrRefuse } from '../../../src/routines/reading/read.ts'
import { applyRoutines } from '../../../src/triggers/apply-routines.ts'
import { acceptDue } from '../../../src/triggers/schedule/accept-slots.ts'
import { checkSchedule } from '../../../src/triggers/schedule/check-schedule.ts'
import { createScheduler } from '../../../src/triggers/schedule/scheduler.ts'
import { onEachLedger, type OnLedger } from '../ledgers.ts'
import { mediansOf, timed, type Bench } from '../row.ts'

const crowd = 1000
const rounds = 5
const idle = 10_000
const idleTicks = 200
const promisedMs = 1000

/**
 * A crowd that is due in one second: until every slot has its row, beside one statement that writes as many; then until each has
 * its run. And what a tick costs that finds nothing due among many schedules.
 */
export async function slots({ place, tell }: Bench): Promise<void> {
  await onEachLedger(place, (on) => measure(on, tell))
}

async function measure({ name, store, ledger }: OnLedger, tell: Bench['tell']): Promise<void> {
  const setClock = (at: string) =>
    store.db.execute(sql`update clock_offset set ahead = ${at}::timestamptz - clock_timestamp()`)
  await setClock('2026-03-02T10:00:30Z')
  const names = Array.from({ length: crowd }, (_, index) => `routine-${index}`)
  await applyRoutines(ledger, { routines: names.map(routineOf), broken: new Map() })
  await using scheduler = createScheduler({
    ledger,
    routineOf: ({ file, source }) => parseOrRefuse(file, source, read),
    wake: () => {},
    log: createLog('error'),
  })

  const minute = (round: number) => String(round + 1).padStart(2, '0')
  const taken = await mediansOf(rounds, {
    accept: async (round) => {
      // Of the last crowd only is it told how fast it is settled.
      await store.db.execute(sql`update slots set outcome = 'skipped' where outcome is null`)
      await setClock(`2026-03-02T10:${minute(round)}:00.500Z`)
      return timed(() => acceptUntilQuiet(ledger))
    },
    // The same rows of routines that are not there.
    write: (round) => {
      const rows = names.map((routine) => ({ routine: `no-${routine}`, at: `2026-03-02T10:${minute(round)}:00Z` }))
      return timed(() =>
        store.db.execute(sql`insert into slots (routine, at, outcome)
          select routine, at, 'skipped' from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(routine text, at timestamptz)`),
      )
    },
  })
  tell({
    what: `${crowd} slots due at once: all rows, ${name}`,
    unit: 'ms',
    figure: taken.accept,
    beside: [
      { what: 'one insert of as many', figure: taken.write },
      { what: 'promised at most', figure: promisedMs },
    ],
  })
  const settling = await timed(() => scheduler.settle())
  tell({ what: `slots settled, ${name}`, unit: '/s', figure: crowd / (settling / 1000), beside: [] })

  await store.db.execute(sql`delete from schedules`)
  await store.db.execute(sql`insert into schedules (routine, cron, timezone, next_fire_at)
    select 'idle-' || n, '0 2 * * *', 'UTC', clock() + n * interval '1 minute' from generate_series(1, ${idle}) as n`)
  const cpu = process.cpuUsage()
  const looking = await timed(async () => {
    for (let tick = 0; tick < idleTicks; tick++) await scheduler.tick()
  })
  const { user, system } = process.cpuUsage(cpu)
  tell({
    what: `a tick that finds nothing due among ${idle.toLocaleString('en-US')}, ${name}`,
    unit: 'ms',
    figure: looking / idleTicks,
    beside: [{ what: 'CPU of this process, of a second', figure: (user + system) / 1000 / idleTicks }],
  })
}

async function acceptUntilQuiet(ledger: Parameters<typeof acceptDue>[0]): Promise<void> {
  while ((await acceptDue(ledger)).due > 0);
}

const read = { defaultEngine: 'command', checkSchedule }

function routineOf(name: string) {
  const keys = `repository: ./shop\non: { schedule: { cron: "* * * * *", timezone: Europe/Berlin } }\ncatch_up: { mode: all }`
  const engine = `engine: { name: command, command: ["true"] }`
  return parseOrRefuse(`/routines/${name}.md`, `---\n${keys}\n${engine}\n---\n`, read)
}
