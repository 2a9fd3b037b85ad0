import { lstat, readdir, readlink, stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { System } from './bubblewrap-argv.ts'

/** Of /etc only what programs need to find libraries, certificates and `alternatives`; none of it is private. */
const publicEtc = [
  'ld.so.cache',
  'alternatives',
  'ssl/certs',
  'ca-certificates',
  'pki/tls/certs',
  'pki/ca-trust/extracted',
  'crypto-policies',
]
const memoryFileCap = 4 * 1024 ** 3

export async function readSystem(
  node = process.execPath,
): Promise<Omit<System, 'nestingForbidden' | 'processesLimited' | 'socketsFiltered'>> {
  const top = (await readdir('/')).filter((name) => name === 'bin' || name === 'sbin' || /^lib\w*$/.test(name))
  const paths = ['/usr']
  const links: System['links'] = []
  for (const path of top.map((name) => join('/', name))) {
    if ((await lstat(path)).isSymbolicLink()) links.push({ path, target: await readlink(path) })
    else paths.push(path)
  }
  for (const path of publicEtc.map((name) => join('/etc', name))) if (await exists(path)) paths.push(path)
  // The file, not its folder: a Node in ~/bin must not show the rest of it.
  if (!node.startsWith('/usr/')) await addNode(node, paths, links)
  return { paths, links, memoryFileBytes: Math.min(memoryFileCap, Math.floor(totalmem() / 4)) }
}

async function addNode(node: string, paths: string[], links: System['links']): Promise<void> {
  paths.push(node)
  const folder = dirname(node)
  const npm = join(folder, '../lib/node_modules/npm')
  if (!(await exists(npm))) return
  paths.push(npm)
  for (const name of ['npm', 'npx']) links.push({ path: join(folder, name), target: join(npm, `bin/${name}-cli.js`) })
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
