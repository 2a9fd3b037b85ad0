import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Exit, Sandbox, SandboxDriver, SpawnOptions } from '../../../src/sandboxes/sandbox.ts'

export const fixtures = join(import.meta.dirname, '../../sandboxes/fixtures')
const canary = `canary-${'x'.repeat(20)}-kept-by-the-operator`

/** What a driver promises beyond the port. */
export type Promises = {
  /** Walls: no network, no file but the mounts, not root. */
  confines: boolean
  /** Everything ends with the command and with the service, whatever a process does to its environment. */
  namespaced: boolean
  /** Somebody else starts its commands: they are no children of this process, and a killed service leaves them to `reap`. */
  contained?: boolean
  /** The word the fixtures know it by. */
  fixture: string
  create: (folder: string) => SandboxDriver
}

type Done = Exit & { stdout: string; stderr: string }

export async function finish(sandbox: Sandbox, argv: string[], options: SpawnOptions): Promise<Done> {
  const command = await sandbox.spawn(argv, options)
  const [stdout, stderr] = await Promise.all([text(command.stdout), text(command.stderr)])
  return { stdout, stderr, ...(await command.exit) }
}

/** Processes of the whole machine whose arguments hold `words`. */
export async function processesWith(words: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()
    // The command itself, not a shell that has the words in its script.
    if (argv === words) found.push(pid)
  }
  return found
}

/** Processes of the whole machine with `words` somewhere in what every user may read of them. */
export async function processesHolding(words: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (argv.includes(words)) found.push(argv.replaceAll('\0', ' '))
  }
  return found
}

/** Where the suite of one driver works; what is looked up later is there once its tests begin. */
export type Place = Promises & {
  /** Other suites have sandboxes open on this machine at the same time: only runs of this one may be reaped. */
  suite: string
  runs: { main: string; one: string; two: string }
  /** A time to sleep that tells the sleeping process from all others of this machine. */
  mark(seconds: number): string
  shell(script: string, options?: Partial<SpawnOptions>): Promise<Done>
  root: string
  folder: string
  driver: SandboxDriver
  sandbox: Sandbox
}

export function setPlace(promises: Promises): Place {
  const suite = randomUUID().slice(0, 8)
  const place = {
    ...promises,
    suite,
    runs: { main: `${suite}-main`, one: `${suite}-one`, two: `${suite}-two` },
    mark: (seconds) => `${seconds}.${Number.parseInt(suite, 16)}`,
    shell: (script, options = {}) => finish(place.sandbox, ['sh', '-c', script], { cwd: place.folder, ...options }),
  } as Place

  beforeAll(async () => {
    place.root = await mkdtemp(join(tmpdir(), 'overnight-sandbox-'))
    place.folder = join(place.root, 'my work', 'Häuser & "Gärten"')
    await mkdir(place.folder, { recursive: true })
    await mkdir(join(place.root, 'read only'))
    await mkdir(join(place.root, 'read only', 'inner'))
    await mkdir(join(place.root, 'another-run'))
    await writeFile(join(place.root, 'read only', 'file'), 'as it was')
    await writeFile(join(place.root, 'another-run', 'secret'), canary)
    process.env['OVERNIGHT_TEST_CANARY'] = canary
    place.driver = promises.create(place.root)
    place.sandbox = await place.driver.open({
      run: place.runs.main,
      mounts: [
        { path: join(place.root, 'read only', 'inner'), write: true },
        { path: join(place.root, 'read only'), write: false },
        { path: place.folder, write: true },
      ],
    })
  })
  afterAll(async () => {
    await place.sandbox[Symbol.asyncDispose]()
    delete process.env['OVERNIGHT_TEST_CANARY']
    expect(await readdir(place.root)).toEqual(['another-run', 'my work', 'read only'])
    await rm(place.root, { recursive: true, force: true })
  })
  return place
}
