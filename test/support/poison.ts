import type { DeliveryView } from '../../src/ui/delivery.ts'
import type { HomeView } from '../../src/ui/edition.ts'
import type { OccasionsView } from '../../src/ui/occasions.ts'
import type { RunView } from '../../src/ui/run.ts'

/** What only we write, and what decides the shape of a page; everything else may come from outside. */
const ours = new Set([
  'state',
  'kind',
  'outcome',
  'status',
  'stream',
  'type',
  'trigger',
  'because',
  'zone',
  'oldMode',
  'newMode',
  'at',
  'live',
  'older',
])

/** The same value with every text from outside replaced, names of inputs included. */
function poison(value: unknown, text: string): unknown {
  if (typeof value === 'string') return text
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  if (Array.isArray(value)) return value.map((one) => poison(one, text))
  const entries = Object.entries(value).map(([key, one]): [string, unknown] => {
    if (key === 'inputs' || key === 'headers') return [key, Object.fromEntries([[text, text]])]
    if (key === 'diff') return [key, diffOf(text)]
    return [key, ours.has(key) && typeof one === 'string' ? one : poison(one, text)]
  })
  return Object.fromEntries(entries)
}

function diffOf(text: string): string {
  const line = text.replaceAll('\n', ' ')
  return `diff --git a/${line} b/${line}\n--- a/${line}\n+++ b/${line}\n@@ -1,2 +1,2 @@ ${line}\n-${line} old\n+${line} new\n ${line}\n`
}

export const poisonedHome = (view: HomeView, text: string) => poison(view, text) as HomeView
export const poisonedRun = (view: RunView, text: string) => poison(view, text) as RunView
export const poisonedDelivery = (view: DeliveryView, text: string) => poison(view, text) as DeliveryView
export const poisonedOccasions = (view: OccasionsView, text: string) => poison(view, text) as OccasionsView
