import { constants, type NodeGCPerformanceDetail, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Large enough that what is received is not collected while it is still needed. */
const enoughBytes = 16 * 1024 * 1024

/**
 * V8's young heap grows to 128 MB where much short-lived garbage is made (the embedded store's), and stays so; at 2 MB each received
 * event would be collected while it is still needed. Once V8 has begun, its size can be told only by the factor it grows by: it grows
 * here alone, to 16 MB, once much is done, and V8 makes it small again when nothing is.
 */
export function keepYoungHeapSmall(): void {
  growBy(1)
  new PerformanceObserver((seen) => {
    if (seen.getEntries().some(isOfTheYoung) && youngBytes() < enoughBytes) grow()
  }).observe({ entryTypes: ['gc'] })
}

/** V8 looks whether to grow when it collects, and grows when enough is still in use: so as much is, for these milliseconds. */
function grow(): void {
  growBy(8)
  const inUse: number[][] = []
  for (let kb = 0; kb < 4 * (enoughBytes / 1024) && (kb % 128 > 0 || youngBytes() < enoughBytes); kb++)
    inUse.push(Array.from<number>({ length: 128 }).fill(kb))
  growBy(1)
}

/** The types of Node leave out what an entry of this type holds. */
const isOfTheYoung = (entry: PerformanceEntry & { detail?: NodeGCPerformanceDetail }): boolean =>
  entry.detail?.kind === constants.NODE_PERFORMANCE_GC_MINOR

const growBy = (factor: number): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? enoughBytes
