import { readdir, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { Routine } from '../routines/routine.ts'

/** What lies beside a routine, as its run has it. */
export type RoutineFolder = {
  path: string
  /** The engine's command; `./programs/x.mjs` is the file beside the routine, where there is one. The working directory is the checkout. */
  argv: string[]
  /** Files and folders that the run is shown. */
  shown: string[]
  /** What walls say of that. */
  notes: string[]
}

/** What of a folder is for its owner alone: remotes with their tokens, what is not committed, variables of services. */
const isPrivate = (name: string) => /^\.(git|env.*)$/i.test(name)

/**
 * Only a command is told of its routine's folder, and it sees all of it, unless something private lies there or one folder
 * further down – somebody's clone, above all. Then it sees the routine's file and what the command names, with the folders those are in.
 */
export async function readRoutineFolder({ file, engine }: Pick<Routine, 'file' | 'engine'>): Promise<RoutineFolder> {
  const path = dirname(file)
  const argv = await Promise.all(engine.command.map(async (word) => (await programBeside(word, path)) ?? word))
  if (engine.name !== 'command') return { path, argv, shown: [], notes: [] }
  const found = await findPrivate(path)
  if (found === undefined) return { path, argv, shown: [path], notes: [] }
  const named = argv.filter((word, at) => word !== engine.command[at])
  const wanted = [
    ...((await isFile(file)) ? [file] : []),
    ...(await Promise.all(named.map((one) => around(one, path)))),
  ]
  const shown = [...new Set(wanted)]
  const names = shown.map((one) => relative(path, one)).join(', ')
  const note = `the routine's folder holds ${relative(path, found)}, so ${names === '' ? 'nothing of it is shown' : `no more of it is shown than ${names}`}`
  return { path, argv, shown, notes: [note] }
}

async function programBeside(word: string, folder: string): Promise<string | undefined> {
  if (!word.startsWith('./')) return undefined
  const beside = join(folder, word)
  return beside.startsWith(folder + sep) && (await isFile(beside)) ? beside : undefined
}

/** The folder that a program came in, with what it is made of; the program alone where that is the routine's own, or holds something private, too. */
async function around(program: string, folder: string): Promise<string> {
  const own = dirname(program)
  return own === folder || (await findPrivate(own)) !== undefined ? program : own
}

async function findPrivate(folder: string): Promise<string | undefined> {
  const entries = (await entriesOf(folder)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const here = entries.find(({ name }) => isPrivate(name))
  if (here) return join(folder, here.name)
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const below = (await entriesOf(join(folder, name))).find((entry) => isPrivate(entry.name))
    if (below) return join(folder, name, below.name)
  }
  return undefined
}

/** None of what is not there, or may not be read: the sandbox says so, and nobody sees more in it. */
const entriesOf = (folder: string) => readdir(folder, { withFileTypes: true }).catch(() => [])

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
