/** Of the GNU C library: https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html */
export const nativeHeap = {
  GLIBC_TUNABLES: 'glibc.malloc.arena_max=2:glibc.malloc.trim_threshold=8388608:glibc.malloc.hugetlb=1',
}

/**
 * What V8's compilers have freed – 130 MB of the embedded store's code – glibc keeps in a heap for each of their threads, and each git
 * that is started copies the tables of those pages: a third of a run's processor time. It reads its settings when a program
 * begins, so this process becomes the same one anew (25 ms). Does nothing where somebody has settings of their own.
 */
export function keepNativeHeapSmall(): void {
  const isOurs = process.platform === 'linux' && process.env['GLIBC_TUNABLES'] === undefined
  // `node --watch` talks to us by a descriptor that would be closed.
  if (!isOurs || process.send !== undefined || process.execve === undefined) return
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    ...nativeHeap,
  })
}
