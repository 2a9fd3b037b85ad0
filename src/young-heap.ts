import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Large enough that what is received is not collected while it is still needed. */
const enoughBytes = 16 * 1024 * 1024

/**
 * V8's young heap grows to 128 MB where much short-lived garbage is made (the embedded store's), and stays so; at 2 MB each received
 * event would be collected while it is still needed. Once V8 has begun, its size can be told only by the factor it grows by: this keeps
 * it at 16 MB while much is done, and V8 makes it small again when nothing is.
 */
export function keepYoungHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  const state = { factor: 1 }
  new PerformanceObserver(() => {
    const factor = youngBytes() < enoughBytes ? 8 : 1
    if (factor !== state.factor) setFlagsFromString(`--semi-space-growth-factor=${factor}`)
    state.factor = factor
  }).observe({ entryTypes: ['gc'] })
}

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? enoughBytes
