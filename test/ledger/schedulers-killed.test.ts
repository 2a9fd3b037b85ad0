import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../src/routines/read.ts'
import { applyRoutines } from '../../src/triggers/apply-routines.ts'
import { checkSchedule } from '../../src/triggers/schedule/check-schedule.ts'
import { openPostgresLedger, postgresNeed } from '../support/open-ledger.ts'

const program = join(import.meta.dirname, 'tick-forever.ts')
const minutes = 60_000
const instants = 16
const names = Array.from({ length: 20 }, (_, index) => `routine-${index}`)

describe.skipIf(postgresNeed.skip)(`four schedulers on PostgreSQL${postgresNeed.note}`, () => {
  test('killed at any time leave every slot exactly one row, and a run behind each that fired', async () => {
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

    const schedulers = Array.from({ length: 4 }, () => startScheduler(open.databaseUrl))
    await using _end = { [Symbol.asyncDispose]: () => Promise.all(schedulers.map(kill)).then(() => {}) }
    await Promise.all(schedulers.map((one) => once(one.stdout!, 'data')))
    let kills = 0
    for (let instant = 1; instant <= instants; instant++) {
      await open.setClock(new Date(start + instant * 5 * minutes + 1000))
      if (instant % 2 === 0) {
        // Within its next tick, wherever that is by then.
        const index = kills++ % schedulers.length
        const dying = schedulers[index]!
        await once(dying.stdout!, 'data')
        await delay(Math.random() * 15)
        await kill(dying)
        schedulers[index] = startScheduler(open.databaseUrl)
      }
    }
    await expect.poll(() => count('outcome is not null'), { timeout: 30_000 }).toBe(instants * names.length)
    for (const one of schedulers) await kill(one)

    expect(kills).toBe(instants / 2)
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
  }, 90_000)
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
