import { basename } from 'node:path'
import { listFolder, readBlobs, type TreeEntry } from '../checkout/read-folder.ts'
import { openPullHead, type PullHead } from '../checkout/pull-head.ts'
import { logged } from '../errors.ts'
import { nameAt } from '../forges/github/names.ts'
import { planCharacters, planComment } from '../publish/plan-comment.ts'
import type { RepositoryFolder } from '../repository-folder.ts'
import { createGitSource } from '../routines/git-source.ts'
import { readLibrary } from '../routines/library.ts'
import { planMarkdown } from '../routines/plan/write-plan.ts'
import { isRoutineFile } from '../routines/source.ts'
import { planAgainst } from '../triggers/plan-against.ts'
import type { Ground } from './ground.ts'

/** Comparing texts word by word takes its time; who changes more than this reads `overnight plan` of a clone. */
const mostFiles = 200
/** Fetching what a stranger proposes, and telling about it. */
const patienceMs = 120_000
/** Who pushes all the time is answered by the next delivery. */
const mostLooks = 3

type PullPlans = {
  /** This pull request of the routines' repository has another head than before. */
  heard(number: number): void
}

/**
 * Tells pull requests of the routines' repository on GitHub what merging them would change, one after the other; undefined where there is
 * nobody to tell. Whoever heard of them does not wait. `building` ends it.
 */
export function openPullPlans(ground: Ground, building: AsyncDisposableStack): PullPlans | undefined {
  const { config, github, log } = ground
  const { routinesIn: place } = config
  const isOnGitHub = place && nameAt(new URL(config.github.url).host, place.repository) !== undefined
  if (!isOnGitHub || !github.notices) return undefined
  const tell = createTelling(ground, place)
  const stopped = new AbortController()
  const waiting = new Set<number>()
  const state = { working: undefined as Promise<void> | undefined }

  async function work(): Promise<void> {
    for (const number of waiting) {
      // Heard of again from here on, it is looked at again.
      waiting.delete(number)
      if (stopped.signal.aborted) return
      await tell(number, stopped.signal).catch((error: unknown) => {
        if (!stopped.signal.aborted)
          log.warn({ pull: number, ...logged(error) }, 'a pull request was not told its plan')
      })
    }
    state.working = undefined
  }
  building.defer(async () => {
    stopped.abort()
    await state.working
  })
  return {
    heard(number) {
      if (stopped.signal.aborted) return
      waiting.add(number)
      state.working ??= work()
    },
  }
}

function createTelling(ground: Ground, place: RepositoryFolder) {
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
      const said = await sayPlan(ground, { place, head })
      const comment = planComment({ pull: number, commit: head.commit, folder: place.folder, ...said })
      await github.notices!.ensureComment(repository.name, comment, signal)
      if (await head.isNewest()) return
    }
  }
}

type Proposal = { place: RepositoryFolder; head: PullHead }

/** What the pull request itself changes: that others changed something meanwhile is not its doing. */
async function sayPlan(ground: Ground, { place, head }: Proposal): Promise<{ text: string; isNews: boolean }> {
  const list = async (commit: string | undefined) =>
    commit === undefined ? undefined : await listFolder(head.gitDir, commit, place.folder)
  const [older, newer] = [await list(head.base), await list(head.commit)]
  if (!newer)
    return { text: `**It removes the folder \`${place.folder}\`**: everything stays in force.`, isNews: !!older }
  const touched = touchedBetween(older ?? [], newer)
  if (touched.size > mostFiles) {
    const text = `**It changes ${touched.size} routine files**, too many to show: run \`overnight plan\` in a clone.`
    return { text, isNews: true }
  }
  const source = createGitSource({
    ...place,
    dir: ground.config.routinesDir,
    look: async () => ({
      commit: head.commit,
      list: async () => newer.filter(({ entry }) => touched.has(entry)),
      read: (files) => readBlobs(head.gitDir, files),
    }),
  })
  const names = new Set([...touched].map((entry) => basename(entry).replace(/\.md$/i, '')))
  const files = await readLibrary(source, ground.read)
  const plan = await planAgainst(ground, { files, isSame: (name) => !names.has(name) })
  return { text: planMarkdown(plan, planCharacters), isNews: plan.routines.length > 0 }
}

/** Routine files that are another, new, or gone. */
function touchedBetween(older: readonly TreeEntry[], newer: readonly TreeEntry[]): Set<string> {
  const wordsOf = (entries: readonly TreeEntry[]) =>
    new Map(entries.filter(({ entry }) => isRoutineFile(entry)).map(({ entry, id, kind }) => [entry, `${kind} ${id}`]))
  const [before, after] = [wordsOf(older), wordsOf(newer)]
  return new Set([...before.keys(), ...after.keys()].filter((entry) => before.get(entry) !== after.get(entry)))
}
