import { fsyncSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/** What of emscripten's file layer is used here; its types do not name it. */
type Stream = { nfd: number; node: object }
type NodeFiles = {
  stream_ops: { fsync?: (stream: Stream) => number }
  realPath(node: object): string
  tryFSOperation<T>(act: () => T): T
}

export type DurableFiles = {
  files: NodeFS
  /** How often a segment of the write-ahead log was brought to the disk. */
  logSyncs(): number
  /** Calls back each time the log has grown by 64 MB. */
  onLogGrown(act: () => void): void
}

/** A segment is 16 MB. */
const segmentsPerCall = 4

/**
 * The embedded store's files, with an fsync that reaches the disk: without it the store answers a commit that only the
 * page cache has, and a power cut takes every acknowledged row. Costs about 15 % of the commits per second.
 */
export function createDurableFiles(folder: string): DurableFiles {
  const files = new NodeFS(folder)
  const init = files.init.bind(files)
  const seen = { syncs: 0, segments: new Set<string>(), onLogGrown: () => {} }

  function sync(nodeFiles: NodeFiles, stream: Stream): number {
    const path = nodeFiles.realPath(stream.node)
    nodeFiles.tryFSOperation(() => fsyncSync(stream.nfd))
    if (path.includes('/pg_wal/')) noteLogSync(path)
    return 0
  }

  function noteLogSync(path: string): void {
    seen.syncs++
    seen.segments.add(path)
    if (seen.segments.size <= segmentsPerCall) return
    seen.segments.clear()
    seen.onLogGrown()
  }

  files.init = async (pglite, options) => {
    const started = await init(pglite, options)
    const hook = (module: { NODEFS: unknown }) => {
      const nodeFiles = module.NODEFS as NodeFiles
      nodeFiles.stream_ops.fsync = (stream) => sync(nodeFiles, stream)
    }
    started.emscriptenOpts.preRun = [hook, ...(started.emscriptenOpts.preRun ?? [])]
    return started
  }

  return {
    files,
    logSyncs: () => seen.syncs,
    onLogGrown(act) {
      seen.onLogGrown = act
    },
  }
}
