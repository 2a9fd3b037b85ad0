import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, stat, symlink } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { need } from '../need.ts'

/** The pinned Claude Code. It is 370 MB and not ours to give away, so it is no dependency: it is fetched once, into a cache. */
const version = '2.1.328'

/**
 * A folder for a PATH with `claude` in it: OVERNIGHT_TEST_CACHE, or a folder of the user's cache, holds it. Undefined, with the
 * reason, where it cannot be installed.
 */
async function ensureClaude(): Promise<{ folder: string } | { missing: string }> {
  const place = join(cacheFolder(), `claude-code-${version}-${process.platform}-${process.arch}`)
  const folder = join(place, 'bin')
  const isThere = () =>
    stat(join(folder, 'claude')).then(
      () => true,
      () => false,
    )
  if (await isThere()) return { folder }
  try {
    await install(place)
  } catch (error) {
    if (!(await isThere())) return { missing: `Claude Code ${version}: ${String(error).slice(0, 300)}` }
  }
  return { folder }
}

/** Beside its place and then moved there, so that an installation that broke off, or two at once, harm nothing. */
async function install(place: string): Promise<void> {
  const native = `@anthropic-ai/claude-code-${process.platform}-${process.arch}`
  await mkdir(cacheFolder(), { recursive: true })
  const fresh = await mkdtemp(`${place}.`)
  try {
    const argv = ['install', '--prefix', fresh, '--ignore-scripts', '--no-fund', '--no-audit', `${native}@${version}`]
    await promisify(execFile)('npm', argv, { cwd: tmpdir() })
    await mkdir(join(fresh, 'bin'))
    await symlink(join('..', 'node_modules', native, 'claude'), join(fresh, 'bin', 'claude'))
    await rename(fresh, place)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

function cacheFolder(): string {
  const { OVERNIGHT_TEST_CACHE: given, XDG_CACHE_HOME: cache = join(homedir(), '.cache') } = process.env
  return given ?? join(cache, 'overnight-tests')
}

const found = await ensureClaude()
/** For `describe.skipIf(claude.skip)`; `claude.folder` is for a PATH. */
export const claude = {
  folder: 'folder' in found ? found.folder : '/nonexistent',
  ...need('missing' in found ? found.missing : undefined),
}
