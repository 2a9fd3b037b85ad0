import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Git, GitFailed } from './git.ts'

type Fetch = { git: Git; gitDir: string; url: string; signal: AbortSignal | undefined }

const tries = 6
/** No fetch holds a lock for so long; one that is older was left by a machine that stopped. */
const lockIsStaleMs = 15 * 60_000

/** Makes the branches of `gitDir` those of `url`. Another process may do the same at the same moment. */
export async function fetchHeads({ git, gitDir, url, signal }: Fetch): Promise<void> {
  const fetch = [
    'fetch',
    '--quiet',
    '--prune',
    '--no-tags',
    '--no-write-fetch-head',
    '--update-shallow',
    '--no-recurse-submodules',
  ]
  const settings = ['-c', 'core.hooksPath=/dev/null', '-c', 'gc.auto=0', '-c', 'maintenance.auto=false']
  for (let attempt = 1; ; attempt += 1) {
    try {
      await git([...settings, ...fetch, url, '+refs/heads/*:refs/heads/*'], { gitDir, signal })
      return
    } catch (error) {
      if (
        !(error instanceof GitFailed) ||
        !/\.lock'|cannot lock ref|File exists/.test(error.stderr) ||
        attempt === tries
      )
        throw error
      await removeStaleLocks(gitDir, Date.now())
      await wait(50 * 2 ** attempt * (0.5 + Math.random()), undefined, signal ? { signal } : {})
    }
  }
}

async function removeStaleLocks(gitDir: string, nowMs: number): Promise<void> {
  const inRefs = await readdir(join(gitDir, 'refs'), { recursive: true })
  const candidates = [
    ...inRefs.map((name) => join('refs', name)),
    'packed-refs.lock',
    'shallow.lock',
    'HEAD.lock',
    'config.lock',
  ]
  for (const name of candidates.filter((candidate) => candidate.endsWith('.lock'))) {
    const path = join(gitDir, name)
    const found = await stat(path).catch(() => undefined)
    if (found && nowMs - found.mtimeMs > lockIsStaleMs) await rm(path, { force: true })
  }
}
