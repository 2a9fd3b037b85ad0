import { basename } from 'node:path'
import type { PullHead } from '../checkout/pull-head.ts'
import { listFolder, readBlobs, type TreeEntry } from '../checkout/read-folder.ts'
import type { RepositoryFolder } from '../repository-folder.ts'
import { connectorKind } from '../routines/connectors/connectors.ts'
import type { Connector } from '../routines/connectors/connector.ts'
import { readDefinitions, type DefinitionsSnapshot, type Kind } from '../routines/definitions/definitions.ts'
import { createGitSource } from '../routines/library/git-source.ts'
import { readLibrary } from '../routines/library/library.ts'
import type { Comparing } from '../routines/plan/compare-definitions.ts'
import { isRoutineFile, type Wanted } from '../routines/library/source.ts'
import { isDefinitionFile, nameOf, type Definition } from '../routines/definitions/read-definition.ts'
import { sourceKind } from '../routines/webhooks/sources.ts'
import type { WebhookSource } from '../routines/webhooks/source.ts'
import type { Proposed } from '../triggers/plan-against.ts'
import type { Ground } from './ground.ts'

/** Comparing texts word by word takes its time; who changes more than this reads `overnight plan` of a clone. */
const mostFiles = 200

export type Asked = {
  place: RepositoryFolder
  head: PullHead
  inForce: {
    sources(): Standing<WebhookSource>
    connectors(): Standing<Connector>
  }
}
type Standing<T> = Pick<DefinitionsSnapshot<T>, 'inForce' | 'isKnown'>
/** `noFolder`: of the routines; `wasThere` before the pull request. */
type Proposal = Proposed | { noFolder: { wasThere: boolean } } | { tooMany: number }

/** What a pull request itself changes: that others changed something meanwhile is not its doing. */
export async function readProposal(ground: Ground, asked: Asked): Promise<Proposal> {
  const { webhooksIn, webhooksDir, connectorsIn, connectorsDir } = ground.config
  const routines = await differenceIn(asked.place, asked.head, isRoutineFile)
  if (!routines.newer) return { noFolder: { wasThere: routines.older !== undefined } }
  const sources = await changedIn(webhooksIn, webhooksDir, asked)
  const connectors = await changedIn(connectorsIn, connectorsDir, asked)
  const tooMany = routines.touched.size + (sources?.touched.size ?? 0) + (connectors?.touched.size ?? 0)
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
    sources: await compared(asked, sources, {
      standing: asked.inForce.sources(),
      kind: sourceKind,
    }),
    connectors: await compared(asked, connectors, {
      standing: asked.inForce.connectors(),
      kind: connectorKind,
    }),
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

type Folder = RepositoryFolder & Difference & { dir: string }
type Definitions<T> = { standing: Standing<T>; kind: Kind<T> }

/** Of a folder beside the routines; undefined where it is none of that repository. */
async function changedIn(
  place: RepositoryFolder | undefined,
  dir: string,
  { head }: Asked,
): Promise<Folder | undefined> {
  return place && { ...place, dir, ...(await differenceIn(place, head, isDefinitionFile)) }
}

/** A folder that is gone changes nothing, as always. */
async function compared<T extends Definition>(
  asked: Asked,
  folder: Folder | undefined,
  { standing, kind }: Definitions<T>,
): Promise<Comparing<T> | undefined> {
  if (!folder?.newer || !standing.isKnown) return undefined
  const { newer, touched, dir, ...place } = folder
  const names = new Set([...touched].map(nameOf))
  // Two files of one name are both refused, so the one that was not touched counts, too.
  const entries = newer.filter(({ entry }) => isDefinitionFile(entry) && names.has(nameOf(entry)))
  const source = sourceAt(dir, asked, { ...place, entries, isWanted: isDefinitionFile })
  return {
    inForce: new Map([...standing.inForce].filter(([name]) => names.has(name))),
    files: await readDefinitions(kind, source),
  }
}
