import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export type SmallDisk = AsyncDisposable & {
  /** For `startService`: only what is started within sees the disk at its place. */
  within: { pid: number; root: string }
  /** The disk as it is seen from here. */
  path: string
  /** Writes until so many bytes are free. */
  fill(leaveBytes: number): void
  /** Removes what `fill` wrote. */
  free(): void
}

/** A file system of a size, at `folder`, in a mount namespace that a waiting process keeps. */
export async function openSmallDisk(folder: string, megabytes: number): Promise<SmallDisk> {
  const script = 'mount -t tmpfs -o size="$1"m,mode=700 none "$2" && echo ready && exec sleep infinity'
  const holder = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', String(megabytes), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const root = `/proc/${holder.pid}/root`
  const path = join(root, folder)
  const ballast = join(path, 'ballast')
  return {
    within: { pid: holder.pid!, root },
    path,
    fill(leaveBytes) {
      mkdirSync(ballast, { recursive: true })
      for (let size = 1 << 20; size >= 4096; size /= 2) {
        while (freeBytes(path) - leaveBytes >= size && write(join(ballast, `${size}-${freeBytes(path)}`), size));
      }
    },
    free: () => rmSync(ballast, { recursive: true, force: true }),
    async [Symbol.asyncDispose]() {
      holder.kill('SIGKILL')
      await once(holder, 'close')
    },
  }
}

function freeBytes(path: string): number {
  const disk = statfsSync(path)
  return disk.bavail * disk.bsize
}

function write(path: string, size: number): boolean {
  const file = openSync(path, 'w')
  try {
    return writeSync(file, Buffer.alloc(size)) === size
  } catch {
    return false
  } finally {
    closeSync(file)
  }
}

/** Why no such disk can be made here; undefined = it can. */
export function whyNoSmallDisk(): string | undefined {
  try {
    execFileSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none /mnt && nsenter --version'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `a mount namespace: ${String((error as { stderr?: unknown }).stderr ?? error).trim()}`
  }
}
