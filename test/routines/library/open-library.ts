import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { createLog } from '../../../src/log.ts'
import { formatProblem } from '../../../src/routines/format.ts'
import { createFolderSource, type FolderSourceOptions } from '../../../src/routines/library/folder-source.ts'
import { openLibrary, type LibraryOptions, type LibrarySnapshot } from '../../../src/routines/library/library.ts'
import { readOptions } from '../reading/reading.ts'

export const log = createLog('silent')
/** Done after each test, the last one first. */
export const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

export function openFolder(files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'routinen für nachts-'))
  cleanUps.push(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}

type Opened = Awaited<ReturnType<typeof openLibrary>> & { told: LibrarySnapshot[] }

type Options = Partial<LibraryOptions> & Partial<FolderSourceOptions>

export async function open(dir: string, { operator, commitEveryMs, ...options }: Options = {}): Promise<Opened> {
  const told: LibrarySnapshot[] = []
  const commits = { ...(operator && { operator }), ...(commitEveryMs !== undefined && { commitEveryMs }) }
  const source = createFolderSource({ dir, ...commits })
  const onChange = (snapshot: LibrarySnapshot) => void told.push(snapshot)
  const library = await openLibrary({ source, read: readOptions, log, onChange, ...options })
  cleanUps.push(() => library[Symbol.asyncDispose]())
  return { ...library, told }
}

export const namesOf = (snapshot: LibrarySnapshot) => snapshot.routines.map((routine) => routine.name)
export const promptOf = (snapshot: LibrarySnapshot, name = 'tidy') =>
  snapshot.routines.find((routine) => routine.name === name)?.prompt
export const problemsIn = (snapshot: LibrarySnapshot, dir: string) =>
  snapshot.problems.map((problem) => formatProblem(problem).replace(`${dir}/`, ''))
