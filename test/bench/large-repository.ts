import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { git, gitEnvironment } from '../support/git-repository.ts'
import { history, type Shape } from './history.ts'

/** About 4,850 files and 48 MB at the head of 20,500 commits, in 200 MB of pack: what a busy team has after ten years. */
const large: Shape = { seed: 1, files: 4800, commits: 20_500, assets: 50, assetVersions: 20 }

const cache = resolve(import.meta.dirname, '../../node_modules/.cache/overnight-bench')

/** The bare repository of a shape. Made at the first call, in less than a minute; found again until the scripts change. */
export async function ensureLargeRepository(shape: Shape = large, folder = cache): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(shape))
  for (const script of ['history.ts', 'large-repository.ts'])
    key.update(await readFile(join(import.meta.dirname, script)))
  const name = `${key.digest('hex').slice(0, 16)}.git`
  const path = join(folder, name)
  if (await stat(path).catch(() => undefined)) return path
  await mkdir(folder, { recursive: true })
  const beside = join(folder, `${name}.${process.pid}`)
  try {
    await build(shape, beside)
    await removeAllBut(folder, beside)
    await rename(beside, path)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
  return path
}

async function build(shape: Shape, path: string): Promise<void> {
  git('/', 'init', '--quiet', '--bare', '--template=', '--initial-branch=main', path)
  const importer = spawn('git', ['-c', 'core.compression=1', 'fast-import', '--quiet', '--force'], {
    cwd: path,
    env: gitEnvironment,
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const ended = once(importer, 'exit')
  await pipeline(Readable.from(history(shape)), importer.stdin)
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`git fast-import into ${path} ended with ${code}: its report is above`)
  // A forge keeps both for the repositories it serves; without them its side of every clone would be slower than life.
  git(path, 'repack', '-a', '-d', '--quiet', '--write-bitmap-index')
  git(path, 'commit-graph', 'write', '--reachable')
}

/** A cache of what older scripts made would only grow. */
async function removeAllBut(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (join(folder, name) !== kept) await rm(join(folder, name), { recursive: true, force: true })
  }
}
