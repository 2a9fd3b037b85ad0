import type { Client } from './client.ts'
import { PullAnswer, RefAnswer } from './answers.ts'

/** Of those that are merged or closed, the last are enough to find a run's own pull request again. */
const endedLookedAt = 5

export type Family = { client: Client; name: string; branchPrefix: string }

/**
 * The pull requests of a subject: all that are open, and of the ended ones those with the highest numbers. GitHub can list by one
 * branch or by all, and a routine may have merged hundreds: so the highest number is looked for from the branches that are still
 * there upwards, in steps that double. The price: an ended pull request below a gap in the numbers is not seen.
 */
export async function listFamily({ client, name, branchPrefix }: Family): Promise<PullAnswer[]> {
  const [owner = '', repo = ''] = name.split('/')
  const ofBranch = async (ordinal: number): Promise<PullAnswer[]> => {
    const head = `${owner}:${branchOf(branchPrefix, ordinal)}`
    const answer = await client.rest.pulls.list({ owner, repo, head, state: 'all', per_page: 100 })
    return ownOf(PullAnswer.array().parse(answer.data), name)
  }
  const [open, refs] = await Promise.all([
    client.paginate(client.rest.pulls.list, { owner, repo, state: 'open', per_page: 100 }),
    client.rest.git.listMatchingRefs({ owner, repo, ref: `heads/${branchPrefix}` }),
  ])
  const own = ownOf(PullAnswer.array().parse(open), name).filter((pull) => ordinalOf(pull.head.ref, branchPrefix) > 0)
  const known = [
    ...own.map(({ head }) => head.ref),
    ...RefAnswer.array()
      .parse(refs.data)
      .map(({ ref }) => ref.replace('refs/heads/', '')),
  ].map((branch) => ordinalOf(branch, branchPrefix))

  const highest = await findHighest(Math.max(0, ...known), async (ordinal) => (await ofBranch(ordinal)).length > 0)
  const recent = Array.from({ length: Math.min(highest, endedLookedAt) }, (_, index) => highest - index)
  const ended = (await Promise.all(recent.map(ofBranch))).flat()
  const byNumber = new Map([...ended, ...own].map((pull) => [pull.number, pull]))
  return [...byNumber.values()].sort((a, b) => b.number - a.number)
}

/** The highest number that is there, when `floor` is and there is no gap above it. */
export async function findHighest(floor: number, isThere: (ordinal: number) => Promise<boolean>): Promise<number> {
  let [low, step] = [floor, 1]
  while (await isThere(low + step)) {
    low += step
    step *= 2
  }
  // `low` is there and `low + step` is not.
  let high = low + step
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (await isThere(middle)) low = middle
    else high = middle
  }
  return low
}

/** A pull request from a fork may have a branch of the same name; of a fork that was deleted GitHub names no repository. */
export function ownOf(pulls: readonly PullAnswer[], name: string): PullAnswer[] {
  return pulls.filter(({ head }) => head.repo?.full_name === name)
}

function branchOf(prefix: string, ordinal: number): string {
  return ordinal === 1 ? prefix : `${prefix}-${ordinal}`
}

/** 1 for the prefix itself, n for `-n`, 0 for a branch of another subject. */
function ordinalOf(branch: string, prefix: string): number {
  if (branch === prefix) return 1
  const suffix = branch.startsWith(`${prefix}-`) ? branch.slice(prefix.length + 1) : ''
  return /^[1-9]\d{0,8}$/.test(suffix) ? Number(suffix) : 0
}
