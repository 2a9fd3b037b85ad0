import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Git, GitFailed, textOf } from '../checkout/git.ts'
import type { PullRecord, PullRecordChange, PullRecords } from './pull-records.ts'

type Ground = { git: Git; pulls: PullRecords }

/** The git folder of a repository by its name: a work tree's folder or a bare repository. */
export function gitDirOf(name: string): string {
  return existsSync(join(name, '.git', 'HEAD')) ? join(name, '.git') : name
}

/**
 * What the operator did by hand counts: an open pull request whose head the base holds is merged, one whose branch is gone is
 * closed. Records of a repository that cannot be read stay as they are.
 */
export async function settle({ git, pulls }: Ground, records: readonly PullRecord[]): Promise<PullRecord[]> {
  const heads = new Map<string, Promise<Map<string, string> | undefined>>()
  const settled: PullRecord[] = []
  for (const record of records) {
    if (record.state !== 'open') {
      settled.push(record)
      continue
    }
    if (!heads.has(record.repository)) heads.set(record.repository, readHeads(git, gitDirOf(record.repository)))
    const branches = await heads.get(record.repository)
    const change = branches && (await changeOf(git, record, branches))
    settled.push(
      change ? ((await pulls.updateOpen(record.id, change)) ?? (await pulls.find(record.id)) ?? record) : record,
    )
  }
  return settled
}

async function changeOf(
  git: Git,
  record: PullRecord,
  branches: Map<string, string>,
): Promise<PullRecordChange | undefined> {
  const head = branches.get(record.branch) ?? record.head
  const base = branches.get(record.base)
  const gitDir = gitDirOf(record.repository)
  const held =
    base !== undefined &&
    (await git(['merge-base', '--is-ancestor', head, base], { gitDir, codes: [0, 1, 128] })).code === 0
  if (held) return { state: 'merged', head, mergeCommit: base }
  if (!branches.has(record.branch)) return { state: 'closed' }
  return head === record.head ? undefined : { head }
}

async function readHeads(git: Git, gitDir: string): Promise<Map<string, string> | undefined> {
  try {
    const listed = textOf(
      await git(['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/heads/'], { gitDir }),
    )
    return new Map(
      listed
        .split('\n')
        .map((line): [string, string] => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]),
    )
  } catch (error) {
    if (error instanceof GitFailed) return undefined
    throw error
  }
}
