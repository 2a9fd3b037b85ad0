import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Attributes of a tree may name programs (filters, drivers) and rewrite bytes (line ends, keywords). These come before every
 * attribute of a tree and switch them off, so that the bytes of a file are the bytes git keeps. The price: a repository that
 * wants CRLF in its work tree shows LF there.
 */
const plainAttributes = '* -text -ident -filter !eol !crlf !working-tree-encoding !diff !merge\n'

export type BareOptions = { gitDir: string; borrowFrom: string; objectFormat: 'sha1' | 'sha256' }

/** An empty repository of ours that borrows the objects of the mirror `borrowFrom`. */
export async function createBare({ gitDir, borrowFrom, objectFormat }: BareOptions): Promise<void> {
  await createEmpty({ gitDir, objectFormat, branch: 'main', bare: true })
  await borrow(gitDir, borrowFrom)
}

type Empty = { gitDir: string; objectFormat: 'sha1' | 'sha256'; branch: string; bare: boolean }

/** What `git init` makes without a template (gitrepository-layout(5)); a run needs four, and starting git for each is dear. */
export async function createEmpty({ gitDir, objectFormat, branch, bare }: Empty): Promise<void> {
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'])
    await mkdir(join(gitDir, folder), { recursive: true })
  await writeFile(join(gitDir, 'HEAD'), `ref: refs/heads/${branch}\n`)
  const version = objectFormat === 'sha1' ? 0 : 1
  const core = `[core]\n\trepositoryformatversion = ${version}\n\tfilemode = true\n\tbare = ${bare}\n`
  const more = objectFormat === 'sha1' ? '' : `[extensions]\n\tobjectformat = ${objectFormat}\n`
  await writeFile(join(gitDir, 'config'), core + more)
}

/** Lets a repository read the mirror's objects, and gives it attributes of ours. */
export async function borrow(gitDir: string, borrowFrom: string): Promise<void> {
  await mkdir(join(gitDir, 'info'), { recursive: true })
  await writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${join(borrowFrom, 'objects')}\n`)
  await writeFile(join(gitDir, 'info', 'attributes'), plainAttributes)
  await writeFile(join(gitDir, 'info', 'exclude'), '')
  await copyFile(join(borrowFrom, 'shallow'), join(gitDir, 'shallow')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

export function objectFormatOf(id: string): 'sha1' | 'sha256' {
  return id.length === 64 ? 'sha256' : 'sha1'
}
