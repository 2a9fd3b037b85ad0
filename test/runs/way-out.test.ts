import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { setImmediate as immediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createCommandEngine } from '../../src/engines/command.ts'
import type { Tell } from '../../src/ledger/held-run.ts'
import { openRelay } from '../../src/relay/relay.ts'
import type { Prepared } from '../../src/runs/prepare.ts'
import type { PerformTools, Task } from '../../src/runs/task.ts'
import { work } from '../../src/runs/work.ts'
import { createProcessDriver } from '../../src/sandboxes/process.ts'
import { createRedaction } from '../../src/secrets/redaction.ts'
import { readGood, routineText } from '../routines/reading/reading.ts'
import { openFolder } from '../support/git-repository.ts'
import { runOf } from '../support/sample-runs.ts'

/** A run whose agent is a shell script, with a relay that the test can break. */
function prepareRun(folder: string, sh: string) {
  const servers: Server[] = []
  const notes: unknown[] = []
  const tree = join(folder, 'tree')
  mkdirSync(tree)
  const text = routineText('network: [allowed.example]').replace(
    'command: [tidy]',
    `command: [sh, -c, ${JSON.stringify(sh)}]`,
  )
  const driver = createProcessDriver({ folder })
  const tools: Partial<PerformTools> = {
    checkouts: { mountsFor: () => ({ agent: [{ path: tree, write: true }], collector: [] }) } as never,
    engineOf: () => createCommandEngine(),
    openSandbox: (_routine, spec) => driver.open(spec),
    connectorsFor: async () => [],
    openRelay: ({ repository: _repository, onUsage: _onUsage, connectors: _connectors, ...way }) =>
      openRelay({
        ...way,
        dial: () => Promise.reject(new Error('nobody is to be called')),
        createServer: () => (servers.push(createServer()), servers.at(-1)!),
      }),
    openTranscript: async () => ({
      append: async () => undefined,
      close: async () => ({ bytes: 0, sha256: '', tail: '' }),
    }),
    backgroundOf: async () =>
      ({ events: [], leftOut: 0, trigger: null, lastSuccess: null, missed: 0, now: new Date(), zone: 'UTC' }) as never,
    keepPrompt: async () => undefined,
    redaction: createRedaction(),
    reached: () => undefined,
  }
  const held = {
    fence: 1,
    record: async () => undefined,
    advance: async () => undefined,
    storeTranscript: async () => undefined,
    async tell({ data }: Tell) {
      await immediate()
      notes.push(data['text'])
    },
  }
  const task: Task = {
    run: runOf({ id: 'run-1' }),
    routine: { ...readGood(text), file: join(folder, 'x.md') },
    held: held as never,
    signal: new AbortController().signal,
    tools: tools as PerformTools,
    folder,
    endedIn: null,
  }
  const prepared = { checkout: { tree }, mirror: { gitDir: folder }, repository: { url: folder } } as Prepared
  return { task, prepared, servers, notes, tools }
}

test('a way out that breaks off ends the run at once, with a reason, and it may be tried again', async () => {
  using folder = openFolder()
  const { task, prepared, servers, tools } = prepareRun(folder.path, 'echo up; sleep 1000')
  // Its first words say that it is at work.
  tools.openTranscript = async () => ({
    append: async () => void servers[0]?.close(),
    close: async () => ({ bytes: 0, sha256: '', tail: '' }),
  })
  await expect(work(task, prepared)).rejects.toMatchObject({
    reason: 'relay_lost',
    retryable: true,
    message: expect.stringContaining('broke off') as string,
  })
})

test('an agent that ends by itself has ended, and by then the lines of the timeline are written, one after the other', async () => {
  using folder = openFolder()
  const { task, prepared, notes, tools } = prepareRun(folder.path, 'exit 3')
  const { openRelay } = tools
  tools.openRelay = async (way) => {
    for (const line of ['one', 'two', 'three']) way.tell(line)
    return openRelay!(way)
  }
  expect(await work(task, prepared)).toMatchObject({ because: 'exit', code: 3 })
  expect(notes).toEqual(['one', 'two', 'three'])
})
