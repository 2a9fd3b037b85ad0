import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createBubblewrapDriver } from '../../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { usualLimits } from '../../../src/sandboxes/limits.ts'
import type { SandboxDriver } from '../../../src/sandboxes/sandbox.ts'
import { createProcessDriver } from '../../../src/sandboxes/process.ts'
import { startDocker } from '../../support/docker.ts'
import { buildSandboxImage, dockerDriver, tellDocker } from '../../support/sandbox-image.ts'
import { type Bench, mediansOf, timed } from '../row.ts'

const rounds = 20
const atOnce = 15
const promisedMs: Record<string, number> = { docker: 1000, bubblewrap: 50 }

/** From asking for a command to its end, for one that does nothing: what walls cost, beside the bare process of the same minutes. */
export async function sandboxes({ place, tell }: Bench): Promise<void> {
  for (const driver of [createProcessDriver({ folder: place }), createBubblewrapDriver()])
    await measure(driver, { place, tell })
  const docker = await startDocker()
  if ('missing' in docker) return console.log(`docker: left out, ${docker.missing} is missing`)
  await using daemon = docker
  tellDocker(daemon, join(place, 'docker'))
  await buildSandboxImage(daemon)
  const floor = { what: 'docker run, which a person types', act: () => daemon.docker(...run) }
  await measure(dockerDriver({ limits: usualLimits }), { place, tell }, floor)
}

const run = ['run', '--rm', '--network=none', 'overnight-sandbox', 'true']
type Floor = { what: string; act(): Promise<unknown> }

async function measure(driver: SandboxDriver, { place, tell }: Bench, floor?: Floor): Promise<void> {
  const missing = await driver.probe()
  if (missing !== undefined) return console.log(`${driver.name}: left out, ${missing}`)
  const folder = join(place, `work-${driver.name}`)
  await mkdir(folder)
  await using sandbox = await driver.open({ run: 'bench', mounts: [{ path: folder, write: true }] })
  const start = async () => (await sandbox.spawn(['true'], { cwd: folder })).exit
  const bare = () => once(spawn('true', { cwd: folder, stdio: 'pipe' }), 'exit')
  const below = floor?.act ?? bare
  const one = await mediansOf(rounds, { ours: () => timed(start), bare: () => timed(bare), below: () => timed(below) })
  const promised = promisedMs[driver.name]
  tell({
    what: `a command from start to end, ${driver.name} (median of ${rounds})`,
    unit: 'ms',
    figure: one.ours,
    beside: [
      { what: 'the bare process', figure: one.bare },
      ...(floor ? [{ what: floor.what, figure: one.below }] : []),
      ...(promised === undefined ? [] : [{ what: 'promised at most', figure: promised }]),
    ],
  })
  const many = (act: () => Promise<unknown>) => () => timed(() => Promise.all(Array.from({ length: atOnce }, act)))
  const all = await mediansOf(3, { ours: many(start), bare: many(bare), below: many(below) })
  tell({
    what: `${atOnce} of them side by side, ${driver.name}`,
    unit: 'ms',
    figure: all.ours,
    beside: [{ what: 'bare processes', figure: all.bare }, ...(floor ? [{ what: floor.what, figure: all.below }] : [])],
  })
}
