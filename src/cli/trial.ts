import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { BadRequest, Conflict, messageOf } from '../errors.ts'
import type { FiredJson } from '../http/api/fire.ts'
import type { RunJson, RunWholeJson as Whole } from '../http/api/run-json.ts'
import { isGood } from '../runs/states.ts'
import { connect, type Client } from './client.ts'
import { exitCodes, type Context } from './context.ts'
import { visible } from './events.ts'
import { bodyOf, type Said } from './fire.ts'
import { follow } from './follow.ts'
import { pullOption } from './pull-option.ts'
import { collectInput, repositoryFrom, sentenceOf, shortOf } from './run.ts'

type Options = Said & { repository?: string; json?: true }

export function addTrial(program: Command, context: Context): void {
  program
    .command('trial')
    .argument('<routine>', 'name of a routine in the folder, or a routine file')
    .description('do all of the work of a routine and publish nothing; shows the change and what would be posted')
    .option('--repository <where>', 'of a file: work on this repository, whatever it says')
    .option('--input <name=value>', 'an input (repeatable)', collectInput, {})
    .option('--text <words>', 'words for the prompt, as event.text')
    .option('--payload <json>', 'a JSON object, as event')
    .option(...pullOption)
    .option('--json', 'print exactly one JSON object; the log goes to stderr')
    .action(async (routine: string, options: Options) => {
      await using client = await connect(context)
      const run = await start({ context, client }, routine, options)
      await follow(context, client, { run, quiet: false })
      const whole = await client.json<Whole>(`/v1/runs/${run}`)
      const diff = await (await client.request(`/v1/runs/${run}/diff`)).text()
      context.exit(isGood(whole.state) ? exitCodes.ok : exitCodes.theirs)
      const { proposal, findings } = whole
      if (options.json) context.out(`${JSON.stringify({ ...shortOf(whole), proposal, findings, diff })}\n`)
      else
        context.out(
          `${sentenceOf(whole)}\n${proposal ? posted(proposal) : ''}${diff === '' ? '' : `\n${visible(diff)}`}`,
        )
    })
}

/** What is no name of a routine is a file. */
async function start(
  { context, client }: { context: Context; client: Client },
  routine: string,
  options: Options,
): Promise<string> {
  if (/^[a-z0-9-]+$/.test(routine)) {
    if (options.repository !== undefined)
      throw new BadRequest('--repository is for a routine file', `write the path of the file, not ${routine}`)
    const fired = await client.post<FiredJson>(`/v1/routines/${routine}/fire`, { ...bodyOf(options), trial: true })
    if (fired.run === null) throw new Conflict(`nothing was started: ${fired.reason}`)
    return fired.run
  }
  if (options.text !== undefined || options.payload !== undefined)
    throw new BadRequest('--text and --payload are for routines of the folder', 'name one, or leave them out')
  const file = resolve(context.cwd, routine)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new BadRequest(`${routine} cannot be read: ${messageOf(error)}`, 'name a routine, or a routine file')
  })
  const repository =
    options.repository === undefined ? {} : { repository: repositoryFrom(context.cwd, options.repository) }
  const { run } = await client.post<RunJson>('/v1/runs', {
    file,
    text,
    inputs: options.input,
    ...repository,
    pull: options.pull,
    trial: true,
  })
  return run
}

/** Text of agents: every line of it behind a bar, so that it cannot be taken for ours. */
function posted({
  branch,
  base,
  title,
  body,
  draft,
  labels,
  reviewers,
  updates,
}: NonNullable<Whole['proposal']>): string {
  const which = updates === null ? `a new ${draft ? 'draft ' : ''}pull request` : `pull request #${updates}, updated`
  const more = [
    ...(labels.length > 0 ? [`labels: ${labels.join(', ')}`] : []),
    ...(reviewers.length > 0 ? [`reviewers: ${reviewers.join(', ')}`] : []),
  ]
  const facts = [`${branch} → ${base}`, ...more].map((fact) => `  ${visible(fact)}\n`).join('')
  const text = [visible(title), '', ...visible(body).split('\n')].map((line) => `│ ${line}`.trimEnd())
  return `\nWhat would be posted: ${which}\n${facts}┌\n${text.join('\n')}\n└\n`
}
