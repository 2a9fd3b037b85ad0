import type { Command } from 'commander'
import { execFile } from 'node:child_process'
import { mkdir, statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import { messageOf, OvernightError } from '../errors.ts'
import { askPostgres, askRedis, findAgent, findSandboxes } from '../service/probes.ts'
import { readFolder } from './check.ts'
import { exitCodes, type Context } from './context.ts'
import { lookAtConnectors, lookAtSources } from './doctor-definitions.ts'
import { lookAtGitHub } from './doctor-github.ts'
import { lookAtSetups } from './doctor-setup.ts'
import { lookAtSecrets } from './doctor-secrets.ts'
import { type Finding, lookAtService } from './doctor-service.ts'

/** Less than this and a large checkout fails in the middle. */
const roomBytes = 1024 ** 3

export function addDoctor(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('what this machine offers, and what is missing')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const findings = [
        node(),
        await git(context),
        ...(await sandboxes(context)),
        await disk(context),
        await lookAtSetups(context),
        ...(await postgres(context)),
        ...(await redis(context)),
        await routines(context),
        ...(await lookAtSources(context)),
        ...(await lookAtConnectors(context)),
        ...(await claude(context)),
        ...(await lookAtSecrets(context)),
        ...(await lookAtGitHub(context)),
        ...(await lookAtService(context)),
      ]
      if (options.json) context.out(`${JSON.stringify(findings)}\n`)
      else for (const finding of findings) context.out(line(finding))
      context.exit(
        findings.some((finding) => !finding.ok && finding.hint !== undefined) ? exitCodes.theirs : exitCodes.ok,
      )
    })
}

function line({ what, ok, says, hint }: Finding): string {
  const bad = hint === undefined ? '–' : '!'
  const mark = ok ? '✓' : bad
  return `${mark} ${what}: ${says}\n${ok || hint === undefined ? '' : `  → ${hint}\n`}`
}

function node(): Finding {
  return { what: 'node', ok: true, says: process.versions.node }
}

async function git(context: Context): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)('git', ['--version'], {
      env: { PATH: context.config().operator.path },
    })
    const version = /(\d+)\.(\d+)/.exec(stdout)
    const isEnough = version !== null && (Number(version[1]) > 2 || Number(version[2]) >= 38)
    return {
      what: 'git',
      ok: isEnough,
      says: stdout.trim().replace('git version ', ''),
      hint: 'install git 2.38 or newer',
    }
  } catch (error) {
    return { what: 'git', ok: false, says: messageOf(error), hint: 'install git 2.38 or newer' }
  }
}

/** Each one is really started. A missing one is no fault as long as another works. */
async function sandboxes(context: Context): Promise<Finding[]> {
  const found = await findSandboxes(context.config())
  const confines = found.some(({ name, why }) => name !== 'process' && why === undefined)
  return found.map(({ name, why, about = name === 'process' ? 'it is no boundary' : undefined }) => ({
    what: `sandbox ${name}`,
    ok: why === undefined,
    says: why ?? (about === undefined ? 'works' : `works (${about})`),
    ...(confines
      ? {}
      : { hint: 'install bubblewrap, or Docker: without a sandbox only `command` engines run, as plain processes' }),
  }))
}

async function disk(context: Context): Promise<Finding> {
  const { data } = context.config().paths
  try {
    await mkdir(data, { recursive: true, mode: 0o700 })
    const { bavail, bsize } = await statfs(data)
    const free = bavail * bsize
    return {
      what: 'disk',
      ok: free > roomBytes,
      says: `${(free / 1024 ** 3).toFixed(1)} GB free at ${data}`,
      hint: 'free some space, or set OVERNIGHT_DATA',
    }
  } catch (error) {
    return { what: 'disk', ok: false, says: messageOf(error), hint: 'set OVERNIGHT_DATA to a folder you can write' }
  }
}

async function routines(context: Context): Promise<Finding> {
  const { routinesIn } = context.config()
  if (routinesIn !== undefined)
    return { what: 'routines', ok: true, says: `in ${routinesIn.name}; the service looks there` }
  const { routines, problems } = await readFolder(context)
  const says = `${routines.length} in ${context.config().routinesDir}`
  return problems.length === 0
    ? { what: 'routines', ok: true, says }
    : { what: 'routines', ok: false, says: `${says}, ${problems.length} problems`, hint: 'overnight check' }
}

async function isClaudeNeeded(context: Context): Promise<boolean> {
  if (context.config().routinesIn !== undefined) return false
  return (await readFolder(context)).routines.some((routine) => routine.engine.name === 'claude')
}

/** Missing is a fault only where a routine asks for it. */
async function claude(context: Context): Promise<Finding[]> {
  const { model, operator } = context.config()
  const isNeeded = await isClaudeNeeded(context)
  const advise = (hint: string | undefined) => (isNeeded && hint !== undefined ? { hint } : {})
  const engine = await findAgent(operator.path).then(
    ({ version, path }) => ({ ok: true, says: `${version} at ${path}` }),
    (error: unknown) => ({
      ok: false,
      says: messageOf(error),
      ...advise(error instanceof OvernightError ? error.hint : undefined),
    }),
  )
  const name = model.apiKey === undefined ? 'CLAUDE_CODE_OAUTH_TOKEN' : 'ANTHROPIC_API_KEY'
  const isSet = model.apiKey !== undefined || model.oauthToken !== undefined
  const key = isSet
    ? { ok: true, says: `${name} is set, for ${model.baseUrl}` }
    : { ok: false, says: 'no key is set', ...advise('set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN') }
  return [
    { what: 'engine claude', ...engine },
    { what: 'model of claude', ...key },
  ]
}

async function postgres(context: Context): Promise<Finding[]> {
  const { databaseUrl } = context.config()
  if (databaseUrl === undefined) return []
  const what = 'PostgreSQL'
  try {
    return [{ what, ok: true, says: await askPostgres(databaseUrl) }]
  } catch (error) {
    const hint = error instanceof OvernightError ? error.hint : undefined
    return [{ what, ok: false, says: messageOf(error), hint: hint ?? 'correct DATABASE_URL' }]
  }
}

async function redis(context: Context): Promise<Finding[]> {
  const { redisUrl } = context.config()
  if (redisUrl === undefined) return []
  const what = 'Redis'
  const found = await askRedis(redisUrl)
  if ('unreachable' in found)
    return [{ what, ok: false, says: found.unreachable, hint: 'start it, or correct REDIS_URL' }]
  const [warning] = found.warnings
  if (warning !== undefined) return [{ what, ok: false, says: found.version, hint: found.warnings.join('; ') }]
  return [{ what, ok: true, says: [found.version, ...found.notes].join('; ') }]
}
