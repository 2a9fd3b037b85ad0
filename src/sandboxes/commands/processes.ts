import { readdir, readFile } from 'node:fs/promises'

/** Which processes live, as /proc tells; on a system without it nothing is found. */
const numeric = /^\d+$/

/** Processes whose environment at their start had `variable`, with its value. Those of other users stay unseen unless we are root. */
export async function findMarked(variable: string): Promise<{ pid: number; value: string }[]> {
  const names = (await readdir('/proc').catch(() => [])).filter((name) => numeric.test(name))
  const found: { pid: number; value: string }[] = []
  for (const name of names) {
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '')
    const entry = environment.split('\0').find((entry) => entry.startsWith(`${variable}=`))
    if (entry !== undefined) found.push({ pid: Number(name), value: entry.slice(variable.length + 1) })
  }
  return found
}

/** State letter and parent; undefined when the process is gone. The name in parentheses may itself hold parentheses. */
async function statusOf(pid: number): Promise<{ state: string; parent: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const [state, parent] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? []
  return state === undefined ? undefined : { state, parent: Number(parent) }
}

/** A zombie counts as gone: it holds nothing, and of a namespace's first process it says that all others are dead. */
export async function isAlive(pid: number): Promise<boolean> {
  const status = await statusOf(pid)
  return status !== undefined && status.state !== 'Z' && status.state !== 'X'
}

export async function isDescendant(pid: number, ancestor: number): Promise<boolean> {
  for (let at = pid; at > 1;) {
    if (at === ancestor) return true
    at = (await statusOf(at))?.parent ?? 0
  }
  return false
}

export async function firstChildOf(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const first = children.trim().split(' ')[0] ?? ''
  return numeric.test(first) ? Number(first) : undefined
}

/** A negative number is a process group. Already gone is as good as done. */
export function sendSignal(pid: number, signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: it ended by itself in the meantime.
  }
}
