import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import type { StdioOptions } from 'node:child_process'

/**
 * Descriptors this process got from its own parent and would hand on: at its start Node closes the way for the first sixteen,
 * and not for those above. A directory among them would be a way out of any mount namespace.
 */
function inheritedDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fdinfo')
      .map(Number)
      .filter((descriptor) => descriptor > 3 && !closesOnExec(descriptor))
  } catch {
    return []
  }
}

function closesOnExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1]
    return (Number.parseInt(flags ?? '0', 8) & 0o2_000_000) !== 0
  } catch {
    return true
  }
}

/** Calls `start` with these descriptors from 0 on, and nothing of ours above: what would leak is covered by /dev/null. */
export function withCleanDescriptors<T>(wanted: readonly ('pipe' | number)[], start: (stdio: StdioOptions) => T): T {
  const stdio: ('pipe' | 'ignore' | number)[] = [...wanted]
  const leaking = inheritedDescriptors()
  if (leaking.length === 0) return start(stdio)
  const nothing = openSync('/dev/null', 'r')
  try {
    for (const descriptor of leaking.filter((descriptor) => descriptor >= wanted.length)) {
      while (stdio.length < descriptor) stdio.push('ignore')
      stdio[descriptor] = nothing
    }
    return start(stdio)
  } finally {
    closeSync(nothing)
  }
}
