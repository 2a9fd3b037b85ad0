import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createEngines } from '../../src/engines/index.ts'
import type { EngineEvent, EngineTask } from '../../src/engines/engine.ts'
import { createProcessDriver } from '../../src/sandboxes/process.ts'
import { engineTask } from '../support/engine-task.ts'
import { spoken } from '../support/spoken.ts'

const engine = createEngines({ path: '' }).get('command')!

async function taskFor(argv: string[], given: Partial<EngineTask> = {}): Promise<EngineTask> {
  const root = await mkdtemp(join(tmpdir(), 'overnight-command-'))
  const cwd = join(root, 'checkout')
  await mkdir(cwd)
  await writeFile(join(root, 'prompt.md'), 'do it')
  const sandbox = await createProcessDriver({ folder: root }).open({
    run: `engine-${root.slice(-6)}`,
    mounts: [{ path: root, write: true }],
  })
  onTestFinished(async () => {
    await sandbox[Symbol.asyncDispose]()
    await rm(root, { recursive: true, force: true })
  })
  return { ...engineTask({ sandbox, folder: root, argv }), cwd, prompt: 'do it', ...given }
}

const script = (text: string) => ['sh', '-c', text]
const textOf = (events: EngineEvent[], stream: string) =>
  events.map((event) => ('stream' in event && event.stream === stream ? spoken(event) : '')).join('')

test('the program finds its prompt, its files and its place', async () => {
  const task = await taskFor(
    script('cat; echo; cat "$OVERNIGHT_PROMPT_FILE"; echo; env | grep ^OVERNIGHT_ | sort; pwd; echo oh >&2'),
  )
  const events = await Array.fromAsync(engine.run(task))
  expect(textOf(events, 'stdout').split('\n')).toEqual([
    'do it',
    'do it',
    `OVERNIGHT_EVENT_FILE=${task.files.event}`,
    `OVERNIGHT_INPUTS_FILE=${task.files.inputs}`,
    `OVERNIGHT_PROMPT_FILE=${task.files.prompt}`,
    `OVERNIGHT_ROUTINE_DIR=${task.files.routineDir}`,
    expect.stringMatching(/^OVERNIGHT_RUN=engine-/),
    task.cwd,
    '',
  ])
  expect(textOf(events, 'stderr')).toBe('oh\n')
  expect(events.at(-1)).toEqual({ stopped: { because: 'exit', code: 0, signal: null } })
  expect(events.filter((event) => 'stopped' in event)).toHaveLength(1)
})

test.for([
  ['exit 4', { because: 'exit', code: 4, signal: null }],
  ['kill -SEGV $$', { because: 'exit', code: null, signal: 'SIGSEGV' }],
  ['exec >&- 2>&-; exit 0', { because: 'exit', code: 0, signal: null }],
] as const)('how it ended: %s', async ([text, stopped]) => {
  expect((await Array.fromAsync(engine.run(await taskFor(script(text))))).at(-1)).toEqual({ stopped })
})

test('a program that never reads a long prompt does not block', async () => {
  const task = await taskFor(script('echo started; sleep 0.1; exit 0'), { prompt: 'x'.repeat(3_000_000) })
  const events = await Array.fromAsync(engine.run(task))
  expect(textOf(events, 'stdout')).toBe('started\n')
})

test('a program that is not there', async () => {
  await expect(Array.fromAsync(engine.run(await taskFor(['no-such-agent'])))).rejects.toMatchObject({
    reason: 'no_agent',
    hint: expect.stringContaining('no-such-agent'),
  })
})

test('aborted: it may say its last words, and its end is told', async () => {
  const stop = new AbortController()
  const task = await taskFor(script('trap "echo last words; exit 5" TERM; echo up; while :; do sleep 0.05; done'), {
    signal: stop.signal,
  })
  const events: EngineEvent[] = []
  for await (const event of engine.run(task)) {
    events.push(event)
    stop.abort()
  }
  expect(textOf(events, 'stdout')).toBe('up\nlast words\n')
  expect(events.at(-1)).toEqual({ stopped: { because: 'aborted', code: 5, signal: null } })
})

test('aborted, and it does not care: gone within five seconds', async () => {
  const stop = new AbortController()
  const task = await taskFor(script('trap "" TERM; echo up; while :; do sleep 0.05; done'), { signal: stop.signal })
  let stopped: EngineEvent | undefined
  let abortedAt = 0
  for await (const event of engine.run(task)) {
    stopped = event
    abortedAt ||= performance.now()
    stop.abort()
  }
  expect(stopped).toEqual({ stopped: { because: 'aborted', code: null, signal: 'SIGKILL' } })
  expect(performance.now() - abortedAt).toBeLessThan(5000)
})

test('aborted before it started: nothing is started', async () => {
  const task = await taskFor(['touch', 'made'], { signal: AbortSignal.abort() })
  expect(await Array.fromAsync(engine.run(task))).toEqual([
    { stopped: { because: 'aborted', code: null, signal: null } },
  ])
  expect(await readdir(task.cwd)).toEqual([])
})

test('a reader who goes away ends the program', async () => {
  const task = await taskFor(script('echo $$ > ../number; while :; do echo more; sleep 0.01; done'))
  for await (const event of engine.run(task)) if ('content' in event) break
  const before = await readFile(join(task.cwd, '../number'), 'utf8')
  expect(Number(before)).toBeGreaterThan(0)
  await task.sandbox[Symbol.asyncDispose]()
  await vi.waitFor(async () => expect(await readdir(join(task.cwd, '..'))).toEqual(['checkout', 'number', 'prompt.md']))
})

test('a program that prints without end does not outrun its reader', async () => {
  const task = await taskFor(
    script('i=0; while [ $i -lt 100000 ]; do i=$((i+1)); echo "line $i"; echo >> ../reached; done'),
  )
  const run = engine.run(task)[Symbol.asyncIterator]()
  await run.next()
  let reached = 0
  // It stands still once the pipe and the streams are full, long before the end.
  await vi.waitFor(
    async () => {
      const now = (await readFile(join(task.cwd, '../reached'), 'utf8')).length
      const still = now === reached && now > 0
      reached = now
      expect(still).toBe(true)
    },
    { interval: 200, timeout: 10_000 },
  )
  expect(reached).toBeLessThan(90_000)
  await run.return!(undefined)
})
