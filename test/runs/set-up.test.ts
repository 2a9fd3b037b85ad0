import { expect, test } from 'vitest'
import type { SetupKey } from '../../src/checkout/setup/index.ts'
import type { EngineUpdate } from '../../src/engines/engine.ts'
import type { Tell } from '../../src/ledger/held-run.ts'
import { setUp } from '../../src/runs/set-up.ts'
import { failureOf, keptOf, titleOf } from '../../src/runs/setup-step.ts'
import type { Task } from '../../src/runs/task.ts'
import type { Exit } from '../../src/sandboxes/sandbox.ts'
import { createRedaction } from '../../src/secrets/redaction.ts'
import { readGood, routineText } from '../routines/reading/reading.ts'

type Outcome = { bytes: number } | { why: string }
type Given = { exit?: Exit; key?: SetupKey; back?: Outcome; kept?: Outcome; pull?: boolean }

/** One step in a sandbox that is told what happens in it. */
async function run({
  exit = { code: 0, signal: null },
  key = { key: 'k' },
  back,
  kept = { bytes: 1 },
  pull = false,
}: Given) {
  const asked: string[] = []
  const notes: unknown[] = []
  const told: EngineUpdate[] = []
  const asks = (what: string, roots: readonly string[]) => void asked.push([what, ...roots].join(' '))
  const setups = {
    keysOf: async ({ base, ground }: { base: { gitDir: string }; ground: string[] }) => {
      asks('keys', [base.gitDir, ...ground])
      return [key]
    },
    putBack: async ({ roots }: { roots: string[] }) => (asks('back', roots), back),
    run: async () => (asks('run', []), { exit, said: 'why not\n' }),
    keep: async ({ roots }: { roots: string[] }) => (asks('keep', roots), kept),
  }
  const task = {
    routine: readGood(routineText('setup: [{ run: npm ci, when: lock, keep: [deps, ~/.npm] }]')),
    held: { record: async () => undefined, tell: async ({ data }: Tell) => void notes.push(data['text']) },
    tools: { setups, redaction: createRedaction() },
    folder: '/work/1',
  } as unknown as Task
  const steps = setUp(task, {
    repository: { forge: 'local', name: 'shop', url: 'x' },
    mirror: { gitDir: '/mirror', defaultBranch: 'main' },
    checkout: { tree: '/work/1/checkout/tree', base: {}, ...(pull ? { pull: { gitDir: '/pull' } } : {}) },
    trusted: !pull,
    sandbox: { name: 'docker', notes: [], platform: async () => 'image' },
    home: '/work/1/home',
    env: {},
    signal: new AbortController().signal,
  } as unknown as Parameters<typeof setUp>[1])
  const failed = await (async () => {
    for await (const event of steps) told.push(event)
  })().catch((error: unknown) => error)
  const updates = told.flatMap((event) => (event.sessionUpdate === 'tool_call_update' ? [event.status] : []))
  return { asked, notes, failed, updates }
}

const seconds = String.raw`\(0\.0 s`
const roots = 'checkout/tree/deps home/.npm'

test('a step is run, and what it made is kept by what decides it', async () => {
  const { asked, notes, updates } = await run({})
  expect(asked).toEqual(['keys /mirror local shop main docker image', `back ${roots}`, 'run', `keep ${roots}`])
  expect(notes).toEqual([expect.stringMatching(`^setup: npm ci ${seconds}, 0.0 MB kept\\)$`)])
  expect(updates).toEqual(['completed'])
})

test('what was kept is used instead', async () => {
  const { asked, notes } = await run({ back: { bytes: 31.2 * 1024 ** 2 } })
  expect(asked.slice(1)).toEqual([`back ${roots}`])
  expect(notes).toEqual([expect.stringMatching(`^setup: kept result of npm ci used ${seconds}, 31 MB\\)$`)])
})

test('what cannot be kept, or be used, is said, and the step is run', async () => {
  const { asked, notes } = await run({ back: { why: 'it was broken' }, kept: { why: 'it is too large' } })
  expect(asked.slice(2)).toEqual(['run', `keep ${roots}`])
  expect(notes).toEqual([expect.stringContaining('could not be used: it was broken, not kept: it is too large)')])
  const never = await run({ key: { why: 'src holds files of the repository' } })
  expect(never.asked.slice(1)).toEqual(['run'])
  expect(never.notes).toEqual([expect.stringContaining('not kept: src holds files of the repository')])
  expect((await run({ key: null })).notes).toEqual([expect.stringMatching(`^setup: npm ci ${seconds}\\)$`)])
})

test('what strangers propose may use what is kept, by its own files, and keeps nothing', async () => {
  const { asked, notes } = await run({ pull: true })
  expect(asked).toEqual(['keys /pull local shop main docker image', `back ${roots}`, 'run'])
  expect(notes).toEqual([expect.stringMatching(`^setup: npm ci ${seconds}\\)$`)])
})

test('a step that fails ends the run and keeps nothing; a sandbox that went away may be tried again', async () => {
  const { asked, failed, updates, notes } = await run({ exit: { code: 2, signal: null } })
  expect(failed).toMatchObject({
    reason: 'setup',
    retryable: false,
    message: 'npm ci ended with code 2, saying “why not”',
  })
  expect([asked.at(-1), updates, notes]).toEqual(['run', ['failed'], []])
  const lost = await run({ exit: { code: null, signal: 'SIGKILL', cause: 'sandbox_lost' } })
  expect(lost.failed).toMatchObject({ reason: 'no_sandbox', retryable: true })
})

test('the words for a step', () => {
  expect(titleOf({ run: '  npm ci\n' })).toBe('npm ci')
  expect(titleOf({ run: 'one\ntwo' })).toBe('one…')
  expect(titleOf({ run: ['make', '-j', '2'] })).toBe('make -j 2')
  expect(titleOf({ run: 'x'.repeat(100) })).toBe(`${'x'.repeat(59)}…`)
  expect(keptOf({ keep: ['a/b', 'a/', 'ab', '~/a', 'a'] })).toEqual(['a', 'ab', '~/a'])
  const killed = { code: null, signal: 'SIGKILL' }
  expect(failureOf(killed, '')).toBe('was ended by SIGKILL')
  expect(failureOf({ ...killed, cause: 'out_of_memory' }, 'words')).toBe(
    'needed more memory than it may have (limits.memory), saying “words”',
  )
})
