import { basename } from 'node:path'
import type { PullHead } from '../checkout/pull-head.ts'
import { listFolder, readBlobs, type TreeEntry } from '../checkout/read-folder.ts'
import type { RepositoryFolder } from '../repository-folder.ts'
import { createGitSource } from '../routines/git-source.ts'
import { readLibrary } from '../routines/library.ts'
import type { ComparingSources } from '../routines/plan/compare-sources.ts'
import { isRoutineFile, type Wanted } from '../routines/source.ts'
import { isDefinitionFile, nameOf as sourceNameOf } from '../routines/definitions/read-definition.ts'
import { readSources, type SourcesSnapshot } from '../routines/webhooks/sources.ts'
import type { Proposed } from '../triggers/plan-against.ts'
import type { Ground } from './ground.ts'

/** Comparing texts word by word takes its time; who changes more than this reads `overnight plan` of a clone. */
const mostFiles = 200

export type Asked = {
  place: RepositoryFolder
  head: PullHead
  sourcesInForce(): Pick<SourcesSnapshot, 'inForce' | 'isKnown'>
}
/** `noFolder`: of the routines; `wasThere` before the pull request. */
type Proposal = Proposed | { noFolder: { wasThere: boolean } } | { tooMany: number }

/** What a pull request itself changes: that others changed something meanwhile is not its doing. */
export async function readProposal(ground: Ground, asked: Asked): Promise<Proposal> {
  const { webhooksIn } = ground.config
  const routines = await differenceIn(asked.place, asked.head, isRoutineFile)
  if (!routines.newer) return { noFolder: { wasThere: routines.older !== undefined } }
  const sources = webhooksIn && (await differenceIn(webhooksIn, asked.head, isDefinitionFile))
  const tooMany = routines.touched.size + (sources?.touched.size ?? 0)
  if (tooMany > mostFiles) return { tooMany }
  const names = new Set([...routines.touched].map((entry) => basename(entry).replace(/\.md$/i, '')))
  const touched = routines.newer.filter(({ entry }) => routines.touched.has(entry))
  const source = sourceAt(ground.config.routinesDir, asked, {
    ...asked.place,
    entries: touched,
    isWanted: isRoutineFile,
  })
  return {
    files: await readLibrary(source, ground.read),
    isSame: (name) => !names.has(name),
    sources: webhooksIn && sources ? await sourcesOf(ground, asked, { ...webhooksIn, ...sources }) : undefined,
  }
}

type Difference = { older: TreeEntry[] | undefined; newer: TreeEntry[] | undefined; touched: ReadonlySet<string> }

async function differenceIn({ folder }: RepositoryFolder, head: PullHead, isWanted: Wanted): Promise<Difference> {
  const list = async (commit: string | undefined) =>
    commit === undefined ? undefined : await listFolder(head.gitDir, commit, folder)
  const [older, newer] = [await list(head.base), await list(head.commit)]
  return { older, newer, touched: touchedBetween(older ?? [], newer ?? [], isWanted) }
}

/** Files that are another, new, or gone. */
function touchedBetween(older: readonly TreeEntry[], newer: readonly TreeEntry[], isWanted: Wanted): Set<string> {
  const wordsOf = (entries: readonly TreeEntry[]) =>
    new Map(entries.filter(({ entry }) => isWanted(entry)).map(({ entry, id, kind }) => [entry, `${kind} ${id}`]))
  const [before, after] = [wordsOf(older), wordsOf(newer)]
  return new Set([...before.keys(), ...after.keys()].filter((entry) => before.get(entry) !== after.get(entry)))
}

type Place = RepositoryFolder & { entries: readonly TreeEntry[]; isWanted: Wanted }

function sourceAt(dir: string, { head }: Asked, { entries, ...place }: Place) {
  return createGitSource({
    ...place,
    dir,
    look: async () => ({
      commit: head.commit,
      list: async () => entries,
      read: (files) => readBlobs(head.gitDir, files),
    }),
  })
}

/** A folder that is gone changes nothing, as always. */
async function sourcesOf(
  ground: Ground,
  asked: Asked,
  { newer, touched, ...place }: RepositoryFolder & Difference,
): Promise<ComparingSources | undefined> {
  const { inForce: all, isKnown } = asked.sourcesInForce()
  if (!newer || !isKnown) return undefined
  const names = new Set([...touched].map(sourceNameOf))
  // Two files of one name are both refused, so the one that was not touched counts, too.
  const entries = newer.filter(({ entry }) => isDefinitionFile(entry) && names.has(sourceNameOf(entry)))
  const source = sourceAt(ground.config.webhooksDir, asked, { ...place, entries, isWanted: isDefinitionFile })
  return {
    inForce: new Map([...all].filter(([name]) => names.has(name))),
    files: await readSources(source),
  }
}
