import { basename } from 'node:path'
import type { Fault, FolderFile } from './folder.ts'
import { namePattern } from '../keys/front-matter.ts'
import { readRoutine, type ReadOptions, type ReadResult } from '../reading/read.ts'
import type { Readings } from './readings.ts'
import type { RolledBack } from './memory.ts'
import type { Problem, Routine } from '../routine.ts'

export type LibrarySnapshot = {
  /** In force, sorted by name: of a broken file the last version that was good. */
  routines: readonly Routine[]
  /** By routine name. Without a last good version the name is here and not in `routines`. */
  broken: Map<string, Problem[]>
  /** Everything that is wrong in the folder, those of `broken` included. */
  problems: Problem[]
  /** By routine name: the hash of the file's own text, which is not in force because an older version was put back. */
  rolledBack: Map<string, string>
}

export type Parsed = { entry: string; file: string; name: string; read: ReadResult }

export function parseFile(file: FolderFile, options: ReadOptions, readings?: Readings): Parsed {
  const name = basename(file.entry).replace(/\.md$/i, '')
  const { entry, file: path, shownAs = path } = file
  if ('fault' in file) {
    return { entry, file: path, name, read: { problems: [{ file: shownAs, line: 1, column: 1, ...file.fault }] } }
  }
  const known = readings?.of(path, file.text)
  const read = known ? { routine: known } : readRoutine(path, file.text, options)
  if ('routine' in read || shownAs === path) return { entry, file: path, name, read }
  return { entry, file: path, name, read: { problems: read.problems.map((one) => ({ ...one, file: shownAs })) } }
}

export function goodOf({ read }: Parsed): Routine[] {
  return 'routine' in read ? [read.routine] : []
}

/** What is in force, given what was and what stands in the folder. */
export function decideInForce(before: LibrarySnapshot, parsed: readonly Parsed[]): LibrarySnapshot {
  const lastGood = new Map(before.routines.map((routine) => [routine.name, routine]))
  const good = parsed.flatMap(goodOf)
  const bad = parsed.flatMap(({ name, read }) => ('problems' in read ? [{ name, problems: read.problems }] : []))
  const broken = new Map<string, Problem[]>()
  for (const { name, problems } of bad) {
    if (namePattern.test(name)) broken.set(name, [...(broken.get(name) ?? []), ...problems])
  }
  const kept = [...broken.keys()].flatMap((name) => lastGood.get(name) ?? [])
  return {
    routines: [...good, ...kept].sort((a, b) => (a.name < b.name ? -1 : 1)),
    broken,
    problems: bad.flatMap(({ problems }) => problems),
    rolledBack: new Map(),
  }
}

/**
 * What is missing changes nothing but adds its problem: it may be a disk that is not mounted or a forge that is away, and
 * forgetting every schedule would lose slots silently.
 */
export function withoutSource(before: LibrarySnapshot, name: string, missing: Fault): LibrarySnapshot {
  const mine: Problem = { file: name, line: 1, column: 1, ...missing }
  return { ...before, problems: [mine, ...[...before.broken.values()].flat()] }
}

/** What the files say, but for routines that people put back to an older version while the file has the text they left. */
export function withRolledBack(files: LibrarySnapshot, back: readonly RolledBack[]): LibrarySnapshot {
  if (back.length === 0) return files
  const older = new Map(back.map((one) => [one.routine.name, one]))
  const holds = ({ name, hash }: Routine) => older.get(name)?.from === hash
  return {
    ...files,
    routines: files.routines.map((routine) => (holds(routine) ? older.get(routine.name)!.routine : routine)),
    rolledBack: new Map(files.routines.filter(holds).map(({ name, hash }) => [name, hash])),
  }
}

export type Difference = { applied: string[]; committed: string[]; broken: string[]; removed: string[] }

/** Names of routines whose state is another than before. */
export function difference(before: LibrarySnapshot, after: LibrarySnapshot): Difference {
  const old = new Map(before.routines.map((routine) => [routine.name, routine]))
  const isNew = ({ name, hash, file }: Routine) => old.get(name)?.hash !== hash || old.get(name)?.file !== file
  const isRepaired = ({ name }: Routine) => before.broken.has(name) && !after.broken.has(name)
  const present = new Set([...after.routines.map(({ name }) => name), ...after.broken.keys()])
  return {
    applied: namesOf(after.routines.filter((routine) => isNew(routine) || isRepaired(routine))),
    committed: namesOf(
      after.routines.filter((routine) => !isNew(routine) && old.get(routine.name)?.commit !== routine.commit),
    ),
    broken: [...after.broken].filter(([name, now]) => !isSame(before.broken.get(name), now)).map(([name]) => name),
    removed: [...new Set([...old.keys(), ...before.broken.keys()])].filter((name) => !present.has(name)),
  }
}

function namesOf(routines: readonly Routine[]): string[] {
  return routines.map((routine) => routine.name)
}

function isSame(a: readonly Problem[] | undefined, b: readonly Problem[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
