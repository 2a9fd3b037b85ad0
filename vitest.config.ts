import { defineConfig } from 'vitest/config'

/** Rooms whose tests start processes, stores or browsers; everything else is the unit suite (seconds, no services). */
const heavy = [
  'journey',
  'faults',
  'ledger',
  'queue',
  'sandboxes',
  'engines',
  'checkout',
  'forges',
  'publish',
  'contract',
  'shipped',
  'bench',
]
const heavyTests = heavy.map((folder) => `test/${folder}/**/*.test.ts`)

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: heavyTests, testTimeout: 10_000 } },
      { test: { name: 'parts', include: heavyTests, testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 } },
    ],
    reporters: ['default'],
  },
})
