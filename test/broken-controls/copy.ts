import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { Control } from './controls.ts'

export const house = resolve(import.meta.dirname, '../..')

export type Copy = AsyncDisposable & {
  folder: string
  /** Breaks the control in the copy; disposing mends it. Throws when a replacement does not apply any more. */
  broken(control: Control): Promise<AsyncDisposable>
}

const left = new Set(['node_modules', '.git', '.overnight', '.demo', 'shots'])

/** The house as it is now, elsewhere; what it depends on is shared. */
export async function openCopy(): Promise<Copy> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-broken-'))
  const filter = (path: string) => dirname(path) !== house || !left.has(basename(path))
  await cp(house, folder, { recursive: true, filter, verbatimSymlinks: true })
  await symlink(join(house, 'node_modules'), join(folder, 'node_modules'))
  return {
    folder,
    async broken({ edits }) {
      const before = new Map<string, string>()
      for (const edit of edits) {
        const path = join(folder, edit.file)
        const text = await readFile(path, 'utf8')
        if (!before.has(path)) before.set(path, text)
        const why = whyNot(edit, text)
        if (why !== undefined) throw new Error(why)
        await writeFile(
          path,
          text.replace(edit.from, () => edit.to),
        )
      }
      return {
        async [Symbol.asyncDispose]() {
          for (const [path, text] of before) await writeFile(path, text)
        },
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Why a replacement does not apply: what it looks for must stand there once, and something else in its place. */
export function whyNot({ file, from, to }: Control['edits'][number], text: string): string | undefined {
  const times = text.split(from).length - 1
  if (from === to) return `${file}: ${JSON.stringify(from)} is replaced by itself`
  return times === 1 ? undefined : `${file}: ${JSON.stringify(from)} stands there ${times} times, and must once`
}
