import { posix } from 'node:path'
import type { RawPath } from './changes.ts'

const absent = '000000'

/** The paths of a difference at which the old side is to stand, although `steers` says so of a few of them only. */
export function toReplace(between: readonly RawPath[], steers: ReadonlySet<string>): RawPath[] {
  const chosen = between.filter(({ path }) => steers.has(path))
  const folders = new Set(chosen.filter(({ oldMode }) => oldMode !== absent).flatMap(({ path }) => foldersOf(path)))
  // A file or a link where a folder has to be would lead the folder's files elsewhere.
  const inTheWay = between.filter(({ path, newMode }) => newMode !== absent && folders.has(path) && !steers.has(path))
  return [...chosen, ...inTheWay]
}

/** Of replaced paths those that may be as they were before, because nothing was changed there since. */
export function toPutBack(replaced: readonly RawPath[], changed: readonly RawPath[]): RawPath[] {
  const touched = new Set(changed.map(({ path }) => path))
  const files = changed.filter(({ newMode }) => newMode !== absent).map(({ path }) => path)
  const [standing, folders] = [new Set(files), new Set(files.flatMap(foldersOf))]
  return replaced.filter(({ path, newMode }) => {
    if (touched.has(path)) return false
    const isInTheWay = folders.has(path) || foldersOf(path).some((folder) => standing.has(folder))
    return newMode === absent || !isInTheWay
  })
}

/** `git update-index -z --index-info`: what goes first makes room for what comes. */
export function indexLines(differing: readonly RawPath[], side: 'old' | 'new'): Buffer {
  const entries = differing.map((one) => ({
    path: one.path,
    mode: side === 'old' ? one.oldMode : one.newMode,
    id: side === 'old' ? one.oldId : one.newId,
  }))
  const goes = entries.filter(({ mode }) => mode === absent).map(({ path, id }) => `0 ${id}\t${path}\0`)
  const comes = entries.filter(({ mode }) => mode !== absent).map(({ path, mode, id }) => `${mode} ${id}\t${path}\0`)
  return Buffer.from([...goes, ...comes].join(''), 'latin1')
}

const mostHops = 20

/**
 * Everything in a tree that a link of it leads over and to. `links` has what each link of the tree says; a way that leaves the tree
 * or goes round in circles ends there.
 */
export function wayOf(link: string, links: ReadonlyMap<string, string>): string[] {
  const way = [link]
  for (let hops = 0; hops < mostHops; hops++) {
    const here = way.at(-1)!
    const over = [...foldersOf(here), here].find((path) => links.has(path))
    if (over === undefined) return way
    const target = links.get(over)!
    const to = posix.join(posix.dirname(over), target, here.slice(over.length)).replace(/\/$/, '')
    if (target.startsWith('/') || to === '.' || to === '..' || to.startsWith('../')) return way
    way.push(over, to)
  }
  return way
}

/** Paths of a tree; what lies below them is meant, too. */
export type Leads = ReadonlySet<string>

/** Everything that these links lead to, over the links that lie there, and over those that lie where they lead. */
export function leadsFrom(starts: readonly string[], links: ReadonlyMap<string, string>): Leads {
  const leads = new Set<string>()
  let [next, rest] = [starts, [...links.keys()]]
  while (next.length > 0) {
    for (const step of next.flatMap((link) => wayOf(link, links))) leads.add(step)
    next = rest.filter((link) => isLedTo(leads, link))
    rest = rest.filter((link) => !isLedTo(leads, link))
  }
  return leads
}

export function isLedTo(leads: Leads, path: string): boolean {
  return leads.size > 0 && (leads.has(path) || foldersOf(path).some((folder) => leads.has(folder)))
}

/** `a/b/c` lies in `a` and `a/b`. */
export function foldersOf(path: string): string[] {
  const folders: string[] = []
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) folders.push(path.slice(0, at))
  return folders
}
