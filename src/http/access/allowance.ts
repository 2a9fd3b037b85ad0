export type Allowance = {
  /** Takes one; 0 = granted, otherwise how long until there is one again. */
  take(key: string): number
}

/**
 * So many at once, then so many a second, for each key by itself. Of more than `mostKeys` the one unused for longest is forgotten,
 * which costs it nothing. Each process counts for itself.
 */
export function createAllowance(
  { burst, perSecond, mostKeys }: { burst: number; perSecond: number; mostKeys: number },
  now: () => number = Date.now,
): Allowance {
  const levels = new Map<string, { left: number; at: number }>()

  function leftOf(key: string): number {
    const level = levels.get(key)
    if (level === undefined) return burst
    // A clock that was set back gives nothing and takes nothing.
    return Math.min(burst, level.left + (Math.max(0, now() - level.at) / 1000) * perSecond)
  }

  return {
    take(key) {
      const left = leftOf(key)
      const waitMs = left >= 1 ? 0 : Math.ceil(((1 - left) / perSecond) * 1000)
      // Entered anew, so that the first one is the one unused for longest.
      levels.delete(key)
      levels.set(key, { left: waitMs === 0 ? left - 1 : left, at: now() })
      if (levels.size > mostKeys) levels.delete(levels.keys().next().value!)
      return waitMs
    },
  }
}
