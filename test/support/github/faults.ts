/** What goes wrong for the next requests that match. Without `times` it is one. */
export type Fault = {
  method?: string
  /** A regular expression for the path with its query. */
  path: string
  times?: number
  /** Answered instead of anything happening. */
  answer?: { status: number; headers?: Record<string, string>; body?: unknown }
  /**
   * `drop`: the connection ends and nothing happened · `lost`: it happened, and the connection ends without the answer ·
   * `truncated`: it happened, and half of the answer arrives · `hang`: no answer ever
   */
  connection?: 'drop' | 'lost' | 'truncated' | 'hang'
  /** A push that is taken in and refused. */
  push?: { lines: readonly string[]; reason: string }
}

export function createFaults() {
  const waiting: { fault: Fault; pattern: RegExp; left: number }[] = []
  return {
    add: (fault: Fault) => void waiting.push({ fault, pattern: new RegExp(fault.path), left: fault.times ?? 1 }),
    clear: () => void waiting.splice(0),
    take(method: string, path: string): Fault | undefined {
      const index = waiting.findIndex(({ fault, pattern }) => (fault.method ?? method) === method && pattern.test(path))
      const found = waiting[index]
      if (!found) return undefined
      found.left -= 1
      if (found.left <= 0) waiting.splice(index, 1)
      return found.fault
    },
  }
}
