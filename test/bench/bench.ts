import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bench, lineOf } from './row.ts'
import { accept } from './rows/accept.ts'
import { copies } from './rows/copies.ts'
import { fire, fireLarge } from './rows/fire.ts'
import { hooks } from './rows/hooks.ts'
import { routines } from './rows/routines.ts'
import { runs } from './rows/runs.ts'
import { sandboxes } from './rows/sandboxes.ts'
import { setup } from './rows/setup.ts'
import { slots } from './rows/slots.ts'
import { start } from './rows/start.ts'

// npm run bench, or npm run bench -- <row> …: figures beside a floor or a peer of the same minutes. TMPDIR chooses the disk.
const benches: Record<string, (bench: Bench) => Promise<void>> = {
  start,
  accept,
  fire,
  'fire-large': fireLarge,
  copies,
  slots,
  sandboxes,
  setup,
  runs,
  hooks,
  routines,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !Object.hasOwn(benches, name))
if (unknown.length > 0) {
  console.error(`there is no row ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
const place = await mkdtemp(join(tmpdir(), 'overnight-bench-'))
try {
  for (const name of asked.length > 0 ? asked : Object.keys(benches)) {
    const own = join(place, name)
    await mkdir(own)
    await benches[name]!({ place: own, tell: (row) => console.log(lineOf(row)) })
  }
} finally {
  await rm(place, { recursive: true, force: true })
}
