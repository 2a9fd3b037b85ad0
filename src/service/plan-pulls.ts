import { openPullHead } from '../checkout/pull-head.ts'
import { nameAt } from '../forges/github/names.ts'
import { planCharacters, planComment } from '../publish/plan-comment.ts'
import type { RepositoryFolder } from '../repository-folder.ts'
import { isNews, planMarkdown } from '../routines/plan/write-plan.ts'
import { planAgainst } from '../triggers/plan-against.ts'
import type { Ground } from './ground.ts'
import { createPlanTeller, type PlanTeller } from './plan-teller.ts'
import { readProposal, type Asked } from './proposal.ts'

/** Fetching what a stranger proposes, and telling about it. */
const patienceMs = 120_000
/** Who pushes all the time is answered by the next delivery. */
const mostLooks = 3

/**
 * Tells pull requests of the routines' repository on GitHub what merging them would change, one after the other; undefined where there is
 * nobody to tell. `building` ends it.
 */
export function openPullPlans(
  ground: Ground,
  building: AsyncDisposableStack,
  inForce: Asked['inForce'],
): PlanTeller | undefined {
  const { config, github, ledger, log } = ground
  const { routinesIn: place } = config
  const name = place && nameAt(new URL(config.github.url).host, place.repository)
  if (!place || name === undefined || !github.notices) return undefined
  const teller = createPlanTeller({
    ledger,
    tell: createTelling(ground, place, inForce),
    addressOf: (pull) => `${config.github.url}/${name}/pull/${pull}`,
    log,
  })
  building.defer(() => teller.stop())
  return teller
}

function createTelling(ground: Ground, place: RepositoryFolder, inForce: Asked['inForce']) {
  const { config, forges, checkouts, github } = ground
  const { mirrors: root } = config.paths

  return async (number: number, stopped: AbortSignal): Promise<void> => {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(patienceMs)])
    const repository = await forges.github.locate(place.repository, root, signal)
    for (let looks = 0; looks < mostLooks; looks++) {
      const mirror = await checkouts.ensureMirror({ root, repository, signal })
      const { commit: into } = await checkouts.resolveBase(mirror, place.branch)
      const { openRemote } = forges.github
      await using head = await openPullHead({ mirror, openRemote, number, into, root, signal })
      const said = await sayPlan(ground, { place, head, inForce })
      const comment = planComment({ pull: number, commit: head.commit, folder: place.folder, ...said })
      await github.notices!.ensureComment(repository.name, comment, signal)
      if (await head.isNewest()) return
    }
  }
}

async function sayPlan(ground: Ground, asked: Asked): Promise<{ text: string; isNews: boolean }> {
  const { folder } = asked.place
  const proposed = await readProposal(ground, asked)
  if ('noFolder' in proposed) {
    const text = `**It removes the folder \`${folder}\`**: everything stays in force.`
    return { text, isNews: proposed.noFolder.wasThere }
  }
  if ('tooMany' in proposed) {
    const text = `**It changes ${proposed.tooMany} routine files**, too many to show: run \`overnight plan\` in a clone.`
    return { text, isNews: true }
  }
  const plan = await planAgainst(ground, proposed)
  return { text: planMarkdown(plan, planCharacters), isNews: isNews(plan) }
}
