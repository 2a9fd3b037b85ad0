import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../src/routines/reading/read.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { openPostgresLedger, postgresNeed } from '../support/open-ledger.ts'

const program = join(import.meta.dirname, 'tick-forever.ts')
const minutes = 60_000
const instants = 15
const kills = 5
/** Around the instant at which something becomes due. */
const aroundMs = 200
const names = Array.from({ length: 20 }, (_, index) => `routine-${index}`)

describe.skipIf(postgresNeed.skip)(`two schedulers on PostgreSQL${postgresNeed.note}`, () => {
  test('killed (-9) around the tick leave every slot exactly one row, and a run behind each that fired', async () => {
    await using open = await openPostgresLedger()
    const routines = names.map((name) =>
      parseOrRefuse(
        `/routines/${name}.md`,
        `---\nrepository: ./shop\non: { schedule: { cron: "*/5 * * * *", timezone: UTC } }\nengine: { name: command, command: ["true"] }\n---\n`,
        { defaultEngine: 'command', checkSchedule },
      ),
    )
    const start = Date.parse('2026-03-02T10:00:00Z')
    await open.setClock(new Date(start + 1000))
    await applyRoutines(open.ledger, { routines, broken: new Map() })
    const count = async (where: string) =>
      (await open.rows<{ n: number }>(`select count(*)::int as n from slots where ${where}`))[0]!.n

    const schedulers = Array.from({ length: 2 }, () => startScheduler(open.databaseUrl))
    await using _end = { [Symbol.asyncDispose]: () => Promise.all(schedulers.map(kill)).then(() => {}) }
    await Promise.all(schedulers.map((one) => once(one.stdout!, 'data')))
    const dueAt = (instant: number) => open.setClock(new Date(start + instant * 5 * minutes + 1000))
    for (let instant = 1; instant <= instants; instant++) {
      const trial = (instant - 1) / 3
      if (!Number.isInteger(trial)) {
        await dueAt(instant)
        continue
      }
      // From a fifth of a second before the instant to a fifth after it, in even steps: in a look, in a slot's transaction, between.
      const awayMs = (trial / (kills - 1)) * 2 * aroundMs - aroundMs
      const index = trial % schedulers.length
      await once(schedulers[index]!.stdout!, 'data')
      const due = delay(Math.max(0, -awayMs)).then(() => dueAt(instant))
      await delay(Math.max(0, awayMs))
      await kill(schedulers[index]!)
      await due
      schedulers[index] = startScheduler(open.databaseUrl)
    }
    await expect.poll(() => count('outcome is not null'), { timeout: 30_000 }).toBe(instants * names.length)
    for (const one of schedulers) await kill(one)

    const rows = await open.rows<{ n: number }>('select count(distinct (routine, at))::int as n from slots')
    expect(rows[0]!.n).toBe(instants * names.length)
    const orphans = `firing is not null and not exists (select from firings f join runs r on r.id = f.run where f.id = slots.firing)`
    expect(await count(orphans)).toBe(0)
    expect(await count(`outcome in ('fired', 'coalesced') and firing is null`)).toBe(0)
    expect(await open.rows('select count(*)::int as n from firings')).toEqual([
      { n: await count('firing is not null') },
    ])
    // The first of each routine waits, as nobody works here; the others have joined it.
    expect(await open.rows('select count(*)::int as n from runs')).toEqual([{ n: names.length }])
  }, 120_000)
})

function startScheduler(databaseUrl: string): ChildProcess {
  return spawn(process.execPath, [program, databaseUrl], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function kill(scheduler: ChildProcess): Promise<void> {
  if (scheduler.exitCode !== null || scheduler.signalCode !== null) return
  const ended = once(scheduler, 'exit')
  scheduler.kill('SIGKILL')
  await ended
}
