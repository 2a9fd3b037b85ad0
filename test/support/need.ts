/**
 * For tests that need a part of the system which may be missing: `describe.skipIf(need.skip)(`bubblewrap${need.note}`, …)`.
 * `missing` says what is missing and why, undefined = it is there. Where everything must run (OVERNIGHT_NO_SKIP=1) it throws instead.
 */
export function need(missing: string | undefined): { skip: boolean; note: string } {
  if (missing === undefined) return { skip: false, note: '' }
  if (process.env['OVERNIGHT_NO_SKIP'] === '1') throw new Error(`this must run here, and cannot: ${missing}`)
  return { skip: true, note: ` (needs ${missing})` }
}
