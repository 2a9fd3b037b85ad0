import { watch, type FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

export type FolderWatch = Disposable & {
  /** Watches what is there now: the folder, or where it will appear. Cheap when nothing changed; call it before reading. */
  ensure(): Promise<void>
}

export type WatchEvents = {
  onEvent: () => void
  /** Watching does not work here (too many watches, a network disk): changes are found by looking. */
  onTrouble: (error: Error) => void
}

/** Tells when something in `dir` may have changed. A folder that is missing is waited for from its nearest parent. */
export function watchFolder(dir: string, { onEvent, onTrouble }: WatchEvents): FolderWatch {
  const state: { watcher: FSWatcher | undefined; identity: string | undefined; closed: boolean } = {
    watcher: undefined,
    identity: undefined,
    closed: false,
  }
  const drop = () => {
    state.watcher?.close()
    state.watcher = undefined
    state.identity = undefined
  }
  const start = (path: string, only: string | undefined) => {
    const watcher = watch(path, { persistent: false }, (_event, name) => {
      if (only === undefined || name === null || name === only) onEvent()
    })
    watcher.on('error', (error) => {
      drop()
      onTrouble(error)
    })
    return watcher
  }
  return {
    async ensure() {
      const target = await nearestExisting(dir, undefined)
      if (state.closed || target.identity === state.identity) return
      drop()
      try {
        state.watcher = start(target.path, target.awaited)
        state.identity = target.identity
      } catch (error) {
        onTrouble(error as Error)
      }
    },
    [Symbol.dispose]() {
      state.closed = true
      drop()
    },
  }
}

type Target = { path: string; identity: string; awaited: string | undefined }

async function nearestExisting(path: string, awaited: string | undefined): Promise<Target> {
  const seen = await stat(path).catch(() => undefined)
  const parent = dirname(path)
  if (seen?.isDirectory() || parent === path) {
    return { path, identity: [path, seen?.dev, seen?.ino, awaited].join(':'), awaited }
  }
  return nearestExisting(parent, basename(path))
}
