import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { readConfig, type Config } from '../config.ts'
import { BadRequest } from '../errors.ts'
import { openLog } from './open-log.ts'
import { editFrontMatter } from '../routines/reading/edit.ts'
import { isEnded } from '../runs/states.ts'
import type { Service } from '../service.ts'
import { exitCodes, type Context } from './context.ts'
import type { RunRowJson } from '../http/api/run-json.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))
/** Longer than the minute a `* * * * *` slot may be away, shorter than a person's patience. */
const patienceMs = 150_000

export function addDemo(program: Command, context: Context): void {
  program
    .command('demo', { hidden: true })
    .description('three routines on a sample repository, from their triggers to their pull requests')
    .option('--exit', 'end when the pull requests are there, instead of staying up')
    .action(async (options: { exit?: true }) => {
      const place = await mkdtemp(join(tmpdir(), 'overnight-demo-'))
      const stop = new AbortController()
      context.onSignal(() => stop.abort())
      try {
        const config = await furnish(context, place)
        const { openService } = await import('../service.ts')
        await using service = await openService(config, openLog('warn'))
        const published = await show(context, { service, config, signal: stop.signal })
        context.exit(published ? exitCodes.ok : exitCodes.theirs)
        if (!options.exit && !stop.signal.aborted) {
          context.out(`\nIt stays up; Ctrl-C ends it and removes ${place}\n`)
          await once(stop.signal, 'abort')
        }
      } finally {
        await rm(place, { recursive: true, force: true, maxRetries: 3 })
      }
    })
}

/** The sample as a repository, and the shipped routines as copies that work on it, one of them due every minute. */
async function furnish(context: Context, place: string): Promise<Config> {
  const repository = join(place, 'sample')
  const routines = join(place, 'routines')
  await cp(join(house, 'infra/demo/sample'), repository, { recursive: true })
  const { operator } = context.config()
  const git = async (...args: string[]) =>
    promisify(execFile)('git', args, { cwd: repository, env: { PATH: operator.path, HOME: place } })
  await git('init', '--quiet', '--initial-branch=main')
  await git('add', '--all')
  await git(
    '-c',
    'user.name=Demo',
    '-c',
    'user.email=demo@localhost',
    'commit',
    '--quiet',
    '--message',
    'A small library',
  )
  await cp(join(house, 'routines'), routines, { recursive: true })
  for (const name of (await readdir(routines)).filter((file) => file.endsWith('.md') && file !== 'README.md')) {
    const file = join(routines, name)
    const due = name === 'contents-list.md' ? [{ path: ['on', 'schedule', 'cron'], value: '* * * * *' }] : []
    const edits = [{ path: ['repository'], value: repository }, ...due]
    await writeFile(file, editFrontMatter(await readFile(file, 'utf8'), edits))
  }
  await mkdir(join(place, 'data'))
  return readConfig(
    {
      ...context.env,
      OVERNIGHT_DATA: join(place, 'data'),
      OVERNIGHT_ROUTINES: routines,
      OVERNIGHT_PORT: '0',
      OVERNIGHT_HOST: '127.0.0.1',
      // A demonstration leaves nothing in the operator's own stores.
      DATABASE_URL: '',
      REDIS_URL: '',
    },
    place,
  )
}

type Show = { service: Service; config: Config; signal: AbortSignal }

/** Fires one by HTTP and one by the CLI, waits for the clock to fire the third, and tells what became of each. */
async function show(context: Context, { service, config, signal }: Show): Promise<boolean> {
  const { url } = await service.listen()
  context.out(`Overnight is up at ${url}\n  open ${new URL(service.signInLink(), url).href}\n\n`)
  const call = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const answer = await fetch(new URL(path, url), {
      ...init,
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    })
    if (!answer.ok) throw new BadRequest(`${path}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
  context.out('contents-list is due with the next minute: the scheduler fires it\n')
  const byHttp = await call<{ run: string }>('/v1/routines/merge-imports/fire', { method: 'POST', body: '{}' })
  context.out(`merge-imports fired by HTTP: run ${byHttp.run}\n`)
  context.out(`unused-export fired by the CLI: ${await fireByCli('unused-export', context, config)}`)

  const told = new Set<string>()
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  while (!deadline.aborted) {
    const { runs } = await call<{ runs: RunRowJson[] }>('/v1/runs')
    for (const run of runs.filter(({ run: id, state }) => isEnded(state) && !told.has(id))) {
      told.add(run.run)
      const where = run.pullRequest ? ` → ${url}/runs/${run.run}` : ''
      context.out(`${run.routine}: ${run.state} – ${run.title ?? run.message ?? ''}${where}\n`)
    }
    const routines = new Set(runs.filter(({ state }) => state === 'published').map(({ routine }) => routine))
    if (routines.size === 3) {
      context.out(`\nThree pull requests are ready: ${url}\n`)
      return true
    }
    await service.settled(deadline)
  }
  if (!signal.aborted) context.err('not every routine published in time: overnight runs\n')
  return false
}

/** A process of its own, as a person would start it. */
async function fireByCli(routine: string, context: Context, { paths, routinesDir }: Config): Promise<string> {
  const child = spawn(process.execPath, [resolve(house, 'src/overnight.js'), 'fire', routine], {
    env: { PATH: context.env['PATH'] ?? '', OVERNIGHT_DATA: paths.data, OVERNIGHT_ROUTINES: routinesDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  await once(child, 'close')
  return said
}
