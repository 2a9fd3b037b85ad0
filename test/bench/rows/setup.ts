import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createSetups } from '../../../src/checkout/setup/index.ts'
import { createBubblewrapDriver } from '../../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { createProcessDriver } from '../../../src/sandboxes/process.ts'
import type { SandboxDriver } from '../../../src/sandboxes/sandbox.ts'
import { type Bench, mediansOf, timed } from '../row.ts'

const run = promisify(execFile)
const rounds = 3
/** About what `npm ci` of an ordinary application makes: ten thousand files, 100 MB. */
const [folders, filesEach, fileBytes] = [100, 100, 10_240]

async function make(deps: string): Promise<void> {
  const content = randomBytes(fileBytes)
  for (let folder = 0; folder < folders; folder += 1) {
    const own = join(deps, `package-${folder}`)
    await mkdir(own, { recursive: true })
    for (let file = 0; file < filesEach; file += 1) await writeFile(join(own, `file-${file}.js`), content)
  }
}

/** What a setup step made, kept and put back, beside copying the same files by hand. */
export async function setup({ place, tell }: Bench): Promise<void> {
  const made = join(place, 'made')
  await make(join(made, 'deps'))
  const copy = (round: number) => run('cp', ['--recursive', join(made, 'deps'), join(place, `copy-${round}`)])
  for (const driver of [createProcessDriver({ folder: place }), createBubblewrapDriver()]) {
    const missing = await driver.probe()
    if (missing !== undefined) console.log(`${driver.name}: left out, ${missing}`)
    else await measure(driver, { place, tell }, copy)
  }
}

async function measure(driver: SandboxDriver, { place, tell }: Bench, copy: (round: number) => Promise<unknown>) {
  const setups = createSetups({ folder: join(place, `cache-${driver.name}`), maxBytes: 1024 ** 3 })
  const inRun = async (folder: string, act: (keeping: Parameters<typeof setups.keep>[0]) => Promise<unknown>) => {
    const mounts = [{ path: folder, write: true }]
    await using sandbox = await driver.open({ run: 'bench', mounts })
    const signal = new AbortController().signal
    return await timed(() => act({ sandbox, folder, cwd: folder, signal, key: 'deps', roots: ['deps'] }))
  }
  const kept = await inRun(join(place, 'made'), async (keeping) => told(await setups.keep(keeping)))
  const taken = await mediansOf(rounds, {
    ours: async (round) => {
      const folder = join(place, `${driver.name}-${round}`)
      await mkdir(folder)
      return inRun(folder, async (keeping) => told(await setups.putBack(keeping)))
    },
    copy: (round) => timed(() => copy(performance.now() + round)),
  })
  tell({
    what: `100 MB of setup put back, 10,000 files, ${driver.name} (median of ${rounds})`,
    unit: 'ms',
    figure: taken.ours,
    beside: [
      { what: 'cp --recursive', figure: taken.copy },
      { what: 'keeping it, once', figure: kept },
    ],
  })
}

function told(outcome: { bytes: number } | { why: string } | undefined): void {
  if (outcome === undefined || 'why' in outcome) throw new Error(outcome?.why ?? 'nothing was kept')
}
