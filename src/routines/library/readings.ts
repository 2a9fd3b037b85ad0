import { hash } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { readerEdition } from './reader-edition.ts'
import type { ReadOptions } from '../reading/read.ts'
import type { Routine } from '../routine.ts'

/** Reading a text takes some tenths of a millisecond, for which ten thousand of them wait for seconds: what a text says is kept. */
export type Readings = {
  /** What this very text of the file says, if that is known. Its commit is not. */
  of(file: string, text: string): Routine | undefined
  /** These are all that there are; what else was known is forgotten. Never rejects. */
  keep(routines: readonly Routine[]): Promise<void>
}

type Kept = Omit<Routine, 'source'>
export type ReadingsOptions = {
  /** Where the next process finds them. A file that cannot be used is as good as none. */
  file: string
  read: ReadOptions
}

/** Fewer that are not in the file are read again at the next start, which takes less than writing it each time. */
const worthWriting = 100

/**
 * The file is believed only by its own digest, and only by the edition of the reader that wrote it with the same options; a
 * routine in it only for a text with its hash. Times and sizes of files are not asked: a text was always read.
 */
export async function openReadings({ file, read }: ReadingsOptions): Promise<Readings> {
  const edition = () => readerEdition([read.defaultEngine, read.timezone, read.repository])
  const state = { kept: await load(file, edition), known: new Map<string, Routine>(), written: new Set<string>() }
  state.written = new Set([...state.kept.values()].map(identity))
  return {
    of(path, text) {
      const known = state.known.get(path)
      if (known?.source === text) return known
      const kept = state.kept.get(path)
      return kept?.hash === sha256(text) ? { ...kept, source: text } : undefined
    },
    async keep(routines) {
      state.known = new Map(routines.map((routine) => [routine.file, routine]))
      state.kept = new Map()
      const unwritten = routines.filter((routine) => !state.written.has(identity(routine)) && isPlain(routine))
      if (unwritten.length < worthWriting) return
      const plain = routines.filter(isPlain)
      state.written = new Set(plain.map(identity))
      // Without it the next start takes longer, and nothing else.
      await save(file, await edition(), plain).catch(() => {})
    },
  }
}

const identity = ({ file, hash }: Pick<Routine, 'file' | 'hash'>) => `${hash} ${file}`
const sha256 = (text: string) => hash('sha256', text)

/** Would be the same after a way through JSON. A compiled pattern would not: what has one is read again. */
function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain)
  if (typeof value !== 'object' || value === null)
    return ['string', 'number', 'boolean', 'object'].includes(typeof value)
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain)
}

async function load(file: string, edition: () => Promise<string>): Promise<Map<string, Kept>> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const end = text.indexOf('\n')
  const body = text.slice(end + 1)
  if (end < 0 || text.slice(0, end) !== `${await edition()} ${sha256(body)}`) return new Map()
  // Its digest says that these are the bytes that were written below.
  const kept = JSON.parse(body) as Kept[]
  return new Map(kept.map((one) => [one.file, one]))
}

async function save(file: string, edition: string, routines: readonly Routine[]): Promise<void> {
  const body = JSON.stringify(routines.map(({ source: _source, ...kept }): Kept => ({ ...kept, commit: null })))
  const beside = `${file}.${process.pid}`
  try {
    await writeFile(beside, `${edition} ${sha256(body)}\n${body}`, { mode: 0o600 })
    await rename(beside, file)
  } finally {
    await rm(beside, { force: true })
  }
}
