const longestMs = 3_600_000

/** How long a source is left alone after so many failures: the pause doubles up to an hour, and it may itself ask for longer. */
export function pauseAfter(failures: number, everyMs: number, retryAfterMs = 0): number {
  const doubled = Math.min(everyMs * 2 ** Math.min(failures, 20), longestMs)
  return Math.max(everyMs, doubled, Math.min(retryAfterMs, longestMs))
}

/** Seconds or a date (RFC 9110, 10.2.3); 0 for what cannot be read. */
export function retryAfterMs(written: string | undefined, now: Date): number {
  if (written === undefined) return 0
  const ms = /^\d{1,9}$/.test(written) ? Number(written) * 1000 : Date.parse(written) - now.getTime()
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}
