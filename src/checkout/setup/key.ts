import { createHash } from 'node:crypto'
import { runGit } from '../git.ts'

/** A file of the base, as git knows it: its id is its content. */
export type BaseFile = { mode: string; id: string; path: string }

export type KeyedStep = {
  argv: readonly string[]
  /** As they are written: in the checkout, or in HOME (`~/…`). */
  keep: readonly string[]
  /** Whether what the step makes depends on this file. */
  decides(path: string): boolean
}
/** What a result is kept as; why it cannot be kept; null where nothing is to be kept. */
export type SetupKey = { key: string } | { why: string } | null

/**
 * A step's key is made of all that decides its result, in the order of the steps: what came before it decides, too. `ground` is
 * what they have in common: the repository, the kind of sandbox and what its programs run on.
 */
export function keysOf(steps: readonly KeyedStep[], ground: readonly string[], files: readonly BaseFile[]): SetupKey[] {
  let before = hashOf(['setup 1', ground])
  return steps.map(({ argv, keep, decides }) => {
    const deciding = keep.length === 0 ? [] : files.filter(({ path }) => decides(path))
    before = hashOf([before, argv, keep, deciding.map(({ mode, id, path }) => [mode, id, path])])
    if (keep.length === 0) return null
    const why = deciding.length === 0 ? 'no file of the base fits its when' : whyNotKept(keep, files)
    return why === undefined ? { key: before } : { why }
  })
}

/** Put back, a result would undo what became of files of the repository since. */
function whyNotKept(keep: readonly string[], files: readonly BaseFile[]): string | undefined {
  for (const path of keep.filter((path) => !path.startsWith('~/'))) {
    if (files.some((file) => file.path === path || file.path.startsWith(`${path}/`)))
      return `${path} holds files of the repository`
    const isElsewhere = ({ mode, path: link }: BaseFile) => isLink.has(mode) && path.startsWith(`${link}/`)
    if (files.some(isElsewhere)) return `${path} lies behind a link or in a submodule`
  }
  return undefined
}

const isLink: ReadonlySet<string> = new Set(['120000', '160000'])

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/** Every file of a commit; asked of a repository of ours. */
export async function listBaseFiles(gitDir: string, commit: string): Promise<BaseFile[]> {
  const listing = ['ls-tree', '-r', '-z', '--full-tree', commit]
  const { stdout } = await runGit(listing, { gitDir, maxBytes: 512 * 1024 * 1024 })
  const lines = stdout.toString('utf8').split('\0').slice(0, -1)
  return lines.map((line) => {
    const tab = line.indexOf('\t')
    const [mode = '', , id = ''] = line.slice(0, tab).split(' ')
    return { mode, id, path: line.slice(tab + 1) }
  })
}
