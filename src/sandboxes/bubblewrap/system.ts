import { lstat, readdir, readlink, stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { System } from './argv.ts'

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
/** Whose keys there are (keyrings(7)): the machine's, in every namespace. Not in every kernel. */
const keyLists = ['/proc/keys', '/proc/key-users']
const memoryFileCap = 4 * 1024 ** 3

const systemPrograms = ['/usr/bin', '/usr/local/bin']
/** Compilers for other machines have folders by the name of those. */
const ofUsr = /^(s?bin|lib\w*|share|include|local|games|etc|\w+-linux-\w+)$/

/** `src` is where people put what is theirs, and where images of containers keep their application. */
export const ofSystem = (parent: '/usr' | '/usr/local', name: string) =>
  parent === '/usr' ? ofUsr.test(name) : name !== 'src'

async function systemFoldersIn(parent: '/usr' | '/usr/local', apart: readonly string[] = []): Promise<string[]> {
  const names = await readdir(parent).catch(() => [])
  return existing(
    names.filter((name) => ofSystem(parent, name) && !apart.includes(name)).map((name) => join(parent, name)),
  )
}

export async function readSystem(
  node = process.execPath,
): Promise<Omit<System, 'nestingForbidden' | 'processesLimited' | 'callsFiltered'>> {
  const top = (await readdir('/')).filter((name) => name === 'bin' || name === 'sbin' || /^lib\w*$/.test(name))
  const paths = [...(await systemFoldersIn('/usr', ['local'])), ...(await systemFoldersIn('/usr/local'))]
  const links: System['links'] = []
  for (const path of top.map((name) => join('/', name))) {
    if ((await lstat(path)).isSymbolicLink()) links.push({ path, target: await readlink(path) })
    else paths.push(path)
  }
  paths.push(...(await existing(publicEtc.map((name) => join('/etc', name)))))
  // The file, not its folder: a Node in ~/bin must not show the rest of it, nor be covered with a home below /usr.
  if (!systemPrograms.includes(dirname(node))) await addNode(node, paths, links)
  const emptied = await existing(keyLists)
  return { paths, links, emptied, memoryFileBytes: Math.min(memoryFileCap, Math.floor(totalmem() / 4)) }
}

async function addNode(node: string, paths: string[], links: System['links']): Promise<void> {
  paths.push(node)
  const folder = dirname(node)
  const npm = join(folder, '../lib/node_modules/npm')
  if (!(await exists(npm))) return
  paths.push(npm)
  for (const name of ['npm', 'npx']) links.push({ path: join(folder, name), target: join(npm, `bin/${name}-cli.js`) })
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(exists))
  return paths.filter((_, at) => found[at])
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
