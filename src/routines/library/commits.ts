import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import type { Routine } from '../routine.ts'

const runFile = promisify(execFile)

/** HEAD of the repository that a folder lives in, and the blobs it has directly in that folder. */
type Head = { commit: string; blobs: ReadonlyMap<string, string> }

/** The operator's own PATH and HOME: git runs in the operator's repository, with the operator's configuration. */
export type Operator = { path: string; home: string }

/**
 * Undefined without git, a repository, or a commit. Reads objects only: no index, no hooks, no filters, no network.
 */
async function readHead(dir: string, operator: Operator): Promise<Head | undefined> {
  try {
    const commit = (await git(dir, operator, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])).trim()
    const tree = await git(dir, operator, ['ls-tree', '-z', commit])
    return { commit, blobs: new Map(tree.split('\0').flatMap(blobOf)) }
  } catch {
    return undefined
  }
}

/** The commit of a file whose bytes are exactly what HEAD has under this name; else null. */
function commitOf(head: Head | undefined, entry: string, text: string): string | null {
  const committed = head?.blobs.get(entry)
  return head && committed !== undefined && committed === blobId(text, head.commit.length === 64 ? 'sha256' : 'sha1')
    ? head.commit
    : null
}

export type CommitLook = {
  /** Routines with their commit where it is known; what was known of the same text stays. The same list when nothing is new. */
  fill(routines: readonly Routine[], before: readonly Routine[]): Promise<readonly Routine[]>
}

/** Committing does not touch a file, so HEAD is asked again every `everyMs` while some file is not committed. */
export function createCommitLook(options: { dir: string; operator: Operator; everyMs: number }): CommitLook {
  const state: { head: Head | undefined; lookedAt: number } = { head: undefined, lookedAt: -Infinity }
  /** False: HEAD is what it was. */
  const look = async (): Promise<boolean> => {
    const before = state.head?.commit
    state.head = await readHead(options.dir, options.operator)
    state.lookedAt = performance.now()
    return state.head?.commit !== before
  }
  return {
    async fill(routines, before) {
      const isTime = performance.now() - state.lookedAt >= options.everyMs
      const isSame = routines === before
      // What the same HEAD has is known of the same texts.
      if (isSame && !(isTime && routines.some(({ commit }) => commit === null) && (await look()))) return routines
      const known = new Map(before.map((routine) => [`${routine.name} ${routine.hash}`, routine]))
      const knownOf = (routine: Routine) => known.get(`${routine.name} ${routine.hash}`)
      const isNew = routines.some((routine) => knownOf(routine) === undefined)
      const isDue = isTime && routines.some((routine) => !knownOf(routine)?.commit)
      if (!isSame && (isNew || isDue)) await look()
      const filled = routines.map((routine) => {
        const commit = knownOf(routine)?.commit ?? commitOf(state.head, basename(routine.file), routine.source)
        return commit === routine.commit ? routine : { ...routine, commit }
      })
      return filled.every((routine, index) => routine === routines[index]) ? routines : filled
    },
  }
}

function blobOf(line: string): [string, string][] {
  const match = /^100\d{3} blob ([0-9a-f]+)\t(.+)$/s.exec(line)
  return match ? [[match[2] ?? '', match[1] ?? '']] : []
}

function blobId(text: string, algorithm: string): string {
  const bytes = Buffer.from(text)
  return createHash(algorithm).update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

async function git(dir: string, operator: Operator, args: readonly string[]): Promise<string> {
  const env = {
    PATH: operator.path,
    HOME: operator.home,
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_TERMINAL_PROMPT: '0',
  }
  const { stdout } = await runFile('git', ['--no-replace-objects', '-C', dir, ...args], {
    env,
    timeout: 5000,
    maxBuffer: 16 * 1024 * 1024,
  })
  return stdout
}
