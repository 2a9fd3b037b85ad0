import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createRepository } from '../../support/git-repository.ts'
import { type ServiceProcess, startService, untilSettled } from '../../support/service-process.ts'
import { cloneByHand } from '../clone-by-hand.ts'
import { ensureLargeRepository } from '../large-repository.ts'
import { type Bench, mediansOf, timed } from '../row.ts'

const sandboxes = ['process', 'bubblewrap'] as const
const now = ['date', '+%s%N'] as const

/** Fire → the agent's process has started, on a repository of one file: what everything but the copy costs. */
export async function fire({ place, tell }: Bench): Promise<void> {
  await using service = await open(place)
  const repository = createRepository(join(place, 'repository'))
  const taken = await mediansOf(10, {
    ...agents(service, { place, repository }),
    bare: async () => {
      const asked = Date.now()
      return Number(execFileSync(now[0], now.slice(1), { encoding: 'utf8' }).slice(0, 13)) - asked
    },
  })
  for (const sandbox of sandboxes) {
    const beside = [{ what: 'the bare process', figure: taken.bare }]
    tell({ what: `fire → agent started, ${sandbox} (median of 10)`, unit: 'ms', figure: taken[sandbox], beside })
  }
}

/** The same with a warm mirror of a large repository: the copy is nearly all of it. */
export async function fireLarge({ place, tell }: Bench): Promise<void> {
  await using service = await open(place)
  const repository = await ensureLargeRepository()
  const acts = agents(service, { place, repository })
  await acts.process()
  const taken = await mediansOf(7, {
    ...acts,
    floor: (round) => timed(() => cloneByHand(repository, join(place, `by-hand-${round}`))),
  })
  for (const sandbox of sandboxes) {
    const beside = [{ what: 'clone --shared --no-checkout + checkout', figure: taken.floor }]
    tell({ what: `fire → agent started, large, ${sandbox} (median of 7)`, unit: 'ms', figure: taken[sandbox], beside })
  }
}

async function open(place: string): Promise<ServiceProcess> {
  const data = join(place, 'data')
  const routines = join(place, 'routines')
  await mkdir(data)
  await mkdir(routines)
  return await startService({ data, routines, env: { OVERNIGHT_LOG: 'warn', OVERNIGHT_LEASE_SECONDS: '30' } })
}

type Ground = { place: string; repository: string }

/** The agent prints the time it started at; both clocks are this machine's. */
function agents(
  service: ServiceProcess,
  { place, repository }: Ground,
): Record<(typeof sandboxes)[number], () => Promise<number>> {
  const firing = async (sandbox: string) => {
    const asked = Date.now()
    const { run } = await service.post<{ run: string }>('/v1/runs', once({ place, repository, sandbox, command: now }))
    const ended = await untilSettled(service, run)
    const output = await (await service.fetch(`/v1/runs/${run}/events?follow=no`)).text()
    const started = /"text":"(\d{13})\d{6}/.exec(output)?.[1]
    if (ended.state !== 'unchanged' || started === undefined)
      throw new Error(`${sandbox}: ${ended.state} ${ended.message}`)
    return Number(started) - asked
  }
  return { process: () => firing('process'), bubblewrap: () => firing('bubblewrap') }
}

type Once = Ground & { sandbox: string; command: readonly string[] }

/** A routine that was never a file of the folder. */
export function once({ place, repository, sandbox, command }: Once): { file: string; text: string } {
  const engine = `{ name: command, command: ${JSON.stringify(command)} }`
  return {
    file: join(place, 'once.md'),
    text: `---\nrepository: ${JSON.stringify(repository)}\nsandbox: ${sandbox}\nengine: ${engine}\n---\n`,
  }
}
