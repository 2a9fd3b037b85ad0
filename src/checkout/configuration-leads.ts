import { type Leads, leadsFrom } from './agent-configuration.ts'
import { runGit } from './git.ts'
import { steersAgents } from './protected-paths.ts'
import { readBlobs } from './read-folder.ts'

type Link = { path: string; id: string; bytes: number }

/** A longer target leads nowhere. */
const longestTarget = 4096

/** Where links of the agent configuration of a commit lead, one char a byte: an AGENTS.md that is a link steers with what it points to. */
export async function leadsOf(gitDir: string, commit: string): Promise<Leads> {
  const list = ['ls-tree', '-r', '-z', '-l', '--full-tree', commit]
  const links = linksIn((await runGit(list, { gitDir, maxBytes: 1024 * 1024 * 1024 })).stdout)
  const steering = links.filter(({ path }) => steersAgents(Buffer.from(path, 'latin1').toString('utf8')))
  if (steering.length === 0) return new Set()
  const targets = await readBlobs(gitDir, links)
  const said = new Map(links.map(({ path, id }) => [path, targets.get(id)?.toString('latin1') ?? '']))
  const starts = steering.map(({ path }) => path)
  return leadsFrom(starts, said)
}

function linksIn(listed: Buffer): Link[] {
  const links: Link[] = []
  for (let start = 0; start < listed.length;) {
    const end = listed.indexOf(0, start)
    if (listed.toString('latin1', start, start + 6) === '120000') {
      const tab = listed.indexOf(9, start)
      const [, , id = '', size = ''] = listed.toString('latin1', start, tab).split(/ +/)
      const path = listed.toString('latin1', tab + 1, end)
      if (Number(size) <= longestTarget) links.push({ path, id, bytes: Number(size) })
    }
    start = end + 1
  }
  return links
}
