import { createHash } from 'node:crypto'
import { type Git, operatorGit } from '../checkout/git.ts'
import { slugOf } from '../checkout/mirror.ts'
import { readDiff } from '../checkout/quarantine.ts'
import { explainRemote } from '../checkout/remote-heads.ts'
import { Conflict, messageOf, NotFound } from '../errors.ts'
import type { Forge, Pull, PullDesk, PullDraft, Repository } from './forge.ts'
import { locateLocal } from './locate-local.ts'
import { mergeLocal } from './merge-local.ts'
import type { PullRecord, PullRecords } from './pull-records.ts'
import { findHeadIn, pushBranch } from './push-local.ts'
import { gitDirOf, settle } from './settle-local.ts'

export type LocalForgeOptions = {
  /** Whose PATH, HOME and therefore git settings apply in their repositories. */
  operator: { path: string; home: string }
  pulls: PullRecords
}

/**
 * The operator's own repository on disk as a forge: branches are added to it, pull requests are records of ours. Nothing else of it
 * changes, until a person merges.
 */
export function createLocalForge({ operator, pulls }: LocalForgeOptions): Forge & PullDesk {
  const git = operatorGit(operator)
  const read = async (id: string): Promise<PullRecord> => {
    const found = await pulls.find(id)
    if (!found) throw new NotFound('pull request', id, '`overnight pulls` lists them')
    return (await settle({ git, pulls }, [found]))[0]!
  }
  return {
    name: 'local',
    locate: (repository, from) => locateLocal(git, repository, from),
    openRemote: async (repository) => ({
      git,
      explain: (error) => explainRemote(error, repository),
      [Symbol.asyncDispose]: async () => {},
    }),
    findHead: ({ url }, branch) => findHeadIn(git, url, branch),
    ensureBranch: (push) => pushBranch(git, push),
    async findPulls(repository, branchPrefix) {
      const all = await pulls.list({ repository: repository.name })
      const family = all.filter(({ branch }) => isOfFamily(branch, branchPrefix))
      return (await settle({ git, pulls }, family)).map(withUrl)
    },
    async findPull({ name }, number) {
      const found = (await pulls.list({ repository: name })).find((pull) => pull.number === number)
      if (!found) return undefined
      const { url, branch, base, state } = withUrl((await settle({ git, pulls }, [found]))[0]!)
      return { number, url, branch, base, state, ref: `refs/heads/${branch}`, fork: false }
    },
    ensurePull: async (draft) => withUrl(await ensureRecord(pulls, draft)),
    async list(filter) {
      const settled = await settle(
        { git, pulls },
        await pulls.list(filter.state === undefined || filter.state === 'open' ? filter : {}),
      )
      return settled.filter(({ state }) => filter.state === undefined || state === filter.state).map(withUrl)
    },
    read: async (id) => withUrl(await read(id)),
    diff: (pull, maxBytes) => diffOf(git, pull, maxBytes),
    async merge(id, by) {
      const pull = await read(id)
      if (pull.state === 'merged') return withUrl(pull)
      if (pull.state === 'closed')
        throw new Conflict(`#${pull.number} is closed`, 'fire the routine again for a new pull request')
      const { head, mergeCommit } = await mergeLocal({ git, pull, by })
      return withUrl((await pulls.updateOpen(id, { state: 'merged', head, mergeCommit })) ?? (await read(id)))
    },
    async close(id) {
      const pull = await read(id)
      if (pull.state === 'merged') throw new Conflict(`#${pull.number} is merged already`)
      return withUrl((await pulls.updateOpen(id, { state: 'closed' })) ?? (await read(id)))
    },
  }
}

/** `overnight/<routine>/<subject>`, and the same with `-2`, `-3`, … */
export function isOfFamily(branch: string, branchPrefix: string): boolean {
  return (
    branch === branchPrefix ||
    (branch.startsWith(`${branchPrefix}-`) && /^[1-9]\d*$/.test(branch.slice(branchPrefix.length + 1)))
  )
}

async function ensureRecord(pulls: PullRecords, draft: PullDraft): Promise<PullRecord> {
  const { repository, reviewers: _nobodyToAsk, labels, ...facts } = draft
  const record = { ...facts, repository: repository.name, labels: [...labels] }
  const { branch: _branch, repository: _repository, ...change } = record
  const inserted = await pulls.insert(record, (number) => pullId(repository, number))
  return (await pulls.updateOpen(inserted.id, change)) ?? inserted
}

function pullId({ name }: Repository, number: number): string {
  return `${slugOf(name)}-${createHash('sha256').update(name).digest('hex').slice(0, 6)}-${number}`
}

function withUrl(record: PullRecord): Pull {
  const {
    mergeCommit: _mergeCommit,
    labels: _labels,
    routine: _routine,
    subject: _subject,
    run: _run,
    ...pull
  } = record
  return { ...pull, url: `/pulls/${record.id}` }
}

/** What the branch adds since it left the base; of a merged one, what it had added. */
async function diffOf(git: Git, pull: Pull, maxBytes: number): Promise<{ text: string; cut: boolean }> {
  const gitDir = gitDirOf(pull.repository)
  const here: Git = (args, options) => git(args, { ...options, gitDir })
  try {
    const head = (pull.state === 'open' ? await findHeadIn(git, gitDir, pull.branch) : undefined) ?? pull.head
    const first = await here(['rev-parse', '--verify', '--quiet', `${head}^{commit}`], { codes: [0, 1] })
    if (first.code !== 0) throw new Conflict(`the commits of #${pull.number} are gone from the repository`)
    const base = pull.state === 'merged' ? `${head}^` : `refs/heads/${pull.base}`
    const from = await here(['merge-base', '--end-of-options', base, head], { codes: [0, 1, 128] })
    return await readDiff({
      git: here,
      from: from.code === 0 ? from.stdout.toString('utf8').trim() : `${head}^`,
      to: head,
      maxBytes,
    })
  } catch (error) {
    throw error instanceof Conflict ? error : new Conflict(`#${pull.number} cannot be shown: ${messageOf(error)}`)
  }
}
