import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { BadRequest, messageOf } from '../errors.ts'
import type { RunJson, RunRowJson } from '../http/api/run-json.ts'
import { isGood } from '../runs/states.ts'
import { connect, type Client } from './client.ts'
import { exitCodes, type Context } from './context.ts'
import { visible } from './events.ts'
import { follow } from './follow.ts'
import { pullOption } from './pull-option.ts'

type Options = { repository?: string; pull?: number; input: Record<string, string>; json?: true }

export function addRun(program: Command, context: Context): void {
  program
    .command('run')
    .argument('<file>', 'a routine file; it need not be in the folder')
    .description('run a routine file once, in the foreground')
    .option('--repository <where>', 'work on this repository (a path, or owner/name on GitHub), whatever the file says')
    .option('--input <name=value>', 'an input (repeatable)', collectInput, {})
    .option(...pullOption)
    .option('--json', 'print exactly one JSON object; the log goes to stderr')
    .action(async (path: string, options: Options) => {
      const file = resolve(context.cwd, path)
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw new BadRequest(`${path} cannot be read: ${messageOf(error)}`, 'name a routine file')
      })
      await using client = await connect(context)
      const { run } = await client.post<RunJson>('/v1/runs', {
        file,
        text,
        inputs: options.input,
        pull: options.pull,
        ...(options.repository ? { repository: repositoryFrom(context.cwd, options.repository) } : {}),
      })
      await follow(context, client, { run, quiet: false })
      await report(context, client, { run, json: options.json === true })
    })

  program
    .command('approve')
    .argument('<run>', 'id, or the beginning of one')
    .description('publish a run that needs approval')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { json?: true }) => {
      await using client = await connect(context)
      const { run } = await client.post<RunRowJson>(`/v1/runs/${encodeURIComponent(id)}/approve`)
      await follow(context, client, { run, quiet: true })
      await report(context, client, { run, json: options.json === true })
    })
}

/** `owner/name` and addresses are on a forge; anything else is a path, as in a routine file. */
export function repositoryFrom(cwd: string, written: string): string {
  const isElsewhere = /^[a-z][a-z0-9+.-]*:\/\/|^[^/\s]+@[^/\s:]+:|^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9_.-]+$/i.test(
    written,
  )
  return isElsewhere ? written : resolve(cwd, written)
}

async function report(context: Context, client: Client, options: { run: string; json: boolean }): Promise<void> {
  const whole = await client.json<RunRowJson>(`/v1/runs/${options.run}`)
  const { pullRequest, branch, state } = whole
  const where = pullRequest ? `\n  → pull request #${pullRequest.number} on ${branch}${addressOf(pullRequest.url)}` : ''
  context.out(options.json ? `${JSON.stringify(shortOf(whole))}\n` : `${sentenceOf(whole)}${where}\n`)
  context.exit(isGood(state) ? exitCodes.ok : exitCodes.theirs)
}

/** The keys that `--json` promises, and no more. */
export function shortOf(whole: RunRowJson): RunJson {
  const { run, state, reason, branch, base, commit, pullRequest, files, costUsd, seconds } = whole
  return { run, state, reason, branch, base, commit, pullRequest, files, costUsd, seconds }
}

export function sentenceOf({ state, reason, message }: RunRowJson): string {
  return `${state}${reason ? `: ${reason}` : ''}${message ? ` – ${visible(message)}` : ''}`
}

/** On a forge with pages of its own, where to read it. */
function addressOf(url: string): string {
  return URL.canParse(url) ? `: ${visible(url)}` : ''
}

export function collectInput(pair: string, inputs: Record<string, string>): Record<string, string> {
  const equals = pair.indexOf('=')
  if (equals < 1) throw new BadRequest(`--input ${JSON.stringify(pair)} has no name`, 'write --input name=value')
  return { ...inputs, [pair.slice(0, equals)]: pair.slice(equals + 1) }
}
