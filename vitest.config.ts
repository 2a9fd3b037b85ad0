import { defineConfig } from 'vitest/config'
import { nativeHeap } from './src/native-heap.ts'
import { codeCache } from './test/support/code-cache.ts'

// Workers, which are started after this, start thousands of processes.
Object.assign(process.env, nativeHeap)

/** Rooms whose tests start processes, stores or browsers; everything else is the unit suite (seconds, no services). */
const heavy = [
  'browser',
  'journey',
  'faults',
  'ledger',
  'queue',
  'sandboxes',
  'engines',
  'hostile',
  'checkout',
  'forges',
  'publish',
  'contract',
  'shipped',
  'bench',
]
/** Those elsewhere that start processes, watch folders, wait for time limits of others, or count their cases in tens of thousands. */
const long = [
  'test/young-heap.test.ts',
  'test/triggers/schedule/next-fire-oracle.test.ts',
  'test/http/hooks/raw-body.test.ts',
  'test/relay/repository.test.ts',
  'test/outgoing/ask-names.test.ts',
  'test/routines/reading/hostile.test.ts',
  'test/routines/library/library.test.ts',
  'test/routines/library/read-library.test.ts',
  'test/routines/library/routine-commit.test.ts',
  'test/routines/library/readings.test.ts',
  'test/secrets/sources.test.ts',
]
const heavyTests = [...heavy.map((folder) => `test/${folder}/**/*.test.ts`), ...long]
/** Build images and start a Docker daemon: `npm run test:containers`. */
const containers = [
  'test/journey/compose.test.ts',
  'test/journey/docker.test.ts',
  'test/sandboxes/docker/docker.test.ts',
  'test/hostile/docker.test.ts',
  'test/hostile/output-docker.test.ts',
]

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: heavyTests,
          testTimeout: 10_000,
          maxWorkers: 2,
          // No module has state, so what one file imported the next one takes; it halves the time.
          isolate: false,
        },
      },
      {
        test: {
          name: 'parts',
          env: codeCache,
          include: heavyTests,
          exclude: containers,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      { test: { name: 'containers', include: containers, maxWorkers: 1, testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
    reporters: ['default'],
  },
})
