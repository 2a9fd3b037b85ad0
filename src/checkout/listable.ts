import type { Git } from './git.ts'

/** Far more than the names of all the new files that the collector lets through. */
const newNamesBytes = 16 * 1024 * 1024

/** A few small trees that name each other can stand for more files than any memory holds; listing streams, comparing does not. */
export async function requireListable(git: Git, { base, tree }: { base: string; tree: string }): Promise<void> {
  const list = ['ls-tree', '-r', '-z', '--name-only', '--full-tree']
  const before = await git([...list, base], { maxBytes: 1024 * 1024 * 1024 })
  await git([...list, tree], { maxBytes: before.stdout.length + newNamesBytes })
}
