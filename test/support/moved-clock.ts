import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/lib']
const library = folders.map((folder) => join(folder, 'faketime/libfaketime.so.1')).find((file) => existsSync(file))

/** For `need(…)`. */
export const movedClockMissing = library === undefined ? 'libfaketime (apt install faketime)' : undefined

export type MovedClock = AsyncDisposable & {
  /** What to write before a program, so that it and its children live by this clock. */
  under: readonly string[]
  /** The same for a program that gets this environment. */
  env: Record<string, string>
  /** From now on that clock goes on from this instant: what a machine sees that slept until then. */
  setTo(at: Date): Promise<void>
}

/** The system's own clock as a program sees it, moved by a file while it runs. */
export async function openMovedClock(at: Date): Promise<MovedClock> {
  if (library === undefined) throw new Error(`there is no ${movedClockMissing}`)
  const folder = await mkdtemp(join(tmpdir(), 'overnight-clock-'))
  // Another user reads it.
  await chmod(folder, 0o755)
  const file = join(folder, 'offset')
  const setTo = async (at: Date) => {
    const seconds = (at.getTime() - Date.now()) / 1000
    await writeFile(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds.toFixed(3)}\n`, { mode: 0o644 })
    await rename(`${file}.new`, file)
  }
  await setTo(at)
  // Waiting is by the other clock, which stands still while a machine sleeps.
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  return {
    under: ['env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
    env,
    setTo,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
