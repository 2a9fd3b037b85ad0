import type { Command } from 'commander'
import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { BadRequest, messageOf } from '../errors.ts'
import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import { formatProblem, relativeTo } from '../routines/format.ts'
import { createFolderSource } from '../routines/folder-source.ts'
import { readLibrary, type LibrarySnapshot } from '../routines/library.ts'
import { lintAfter } from '../routines/lint-after.ts'
import { lintRoutine } from '../routines/lint.ts'
import { readRoutine } from '../routines/read.ts'
import type { Problem, Routine } from '../routines/routine.ts'
import { lintNames, lintWebhooks } from '../routines/webhooks/lint-sources.ts'
import { readSource } from '../routines/webhooks/read-source.ts'
import type { WebhookSource } from '../routines/webhooks/source.ts'
import { lintEvents, lintSignedOut } from '../triggers/github/lint-events.ts'
import { checkSchedule } from '../triggers/schedule/check-schedule.ts'
import { createCheckUrl } from '../service/poll-addresses.ts'
import { exitCodes, type Context } from './context.ts'
import { findMissingSecrets, readSourcesFolder } from './read-sources.ts'

export function addCheck(program: Command, context: Context): void {
  program
    .command('check')
    .argument(
      '[file...]',
      'routine files and webhook sources, or a folder of routines; without any, the folders of the service',
    )
    .description(
      'every mistake in routine files and webhook sources, with its line, column and what to do (of keys first, then of what they say); exit 1 when there is one',
    )
    .option('--json', 'print JSON')
    .action(async (files: string[], options: { json?: true }) => {
      const { routines, sources, problems, warnings } = await read(context, files)
      if (options.json) {
        const found = {
          routines: routines.map(({ name, file, hash }) => ({ name, file, hash })),
          sources: sources.map(({ name, file }) => ({ name, file })),
        }
        context.out(`${JSON.stringify({ ...found, errors: problems, warnings })}\n`)
      } else {
        const say = (problem: Problem, kind: string) =>
          context.out(`${kind}${formatProblem(relativeTo(context.cwd, problem))}\n`)
        for (const problem of problems) say(problem, '')
        for (const warning of warnings) say(warning, 'warning: ')
        const good = routines.length + sources.length
        context.out(`${good} good, ${counted(problems, 'error')}, ${counted(warnings, 'warning')}\n`)
      }
      context.exit(problems.length > 0 ? exitCodes.theirs : exitCodes.ok)
    })
}

const counted = ({ length }: readonly Problem[], what: string) => `${length} ${what}${length === 1 ? '' : 's'}`

type Checked = { routines: readonly Routine[]; sources: WebhookSource[]; problems: Problem[]; warnings: Problem[] }

async function read(context: Context, names: readonly string[]): Promise<Checked> {
  const folder = names.length === 1 ? resolve(context.cwd, names[0]!) : undefined
  if (folder !== undefined && (await stat(folder).catch(() => undefined))?.isDirectory())
    return readAll(context, { routines: folder, webhooks: join(folder, '..', 'webhooks') })
  if (names.length > 0) return readFiles(context, names)
  return readAll(context, { routines: routinesFolder(context), webhooks: context.config().webhooksDir })
}

async function readAll(context: Context, folders: { routines: string; webhooks: string }): Promise<Checked> {
  const { routines, problems } = await readFolder(context, folders.routines)
  const found = await readSourcesFolder(context, folders.webhooks)
  const sources = [...found.inForce.values()]
  const names = [...found.inForce.keys(), ...found.broken]
  const warnings = [
    ...routines.flatMap((routine) => lintAlone(context, routine)),
    ...lintWebhooks(routines, names),
    ...lintAfter(routines),
    ...lintNames(sources),
    ...(await findMissingSecrets(context, sources)),
  ]
  return { routines, sources, problems: [...problems, ...found.problems], warnings }
}

/** What can be said of a routine without the others. */
function lintAlone(context: Context, routine: Routine): Problem[] {
  const isSignedIn = context.config().github.auth !== undefined
  return [...lintRoutine(routine), ...lintEvents(routine), ...(isSignedIn ? [] : lintSignedOut(routine))]
}

export const readOptions = (context: Context) => ({ defaultEngine: context.config().engine, checkSchedule })

/** The folder as it is on disk now, without a service. Throws BadRequest when the routines are not on this machine. */
export async function readFolder(context: Context, dir = routinesFolder(context)): Promise<LibrarySnapshot> {
  return readLibrary(createFolderSource({ dir }), readOptions(context))
}

export function routinesFolder(context: Context): string {
  const { routinesDir, routinesIn } = context.config()
  if (routinesIn === undefined) return routinesDir
  throw new BadRequest(
    `the routines are in ${routinesIn.name}, not in a folder of this machine`,
    'work in a clone of it: OVERNIGHT_ROUTINES=./routines overnight … (overnight plan also needs OVERNIGHT_DATA, as the service has it)',
  )
}

async function readFiles(context: Context, files: readonly string[]): Promise<Checked> {
  const checkUrl = createCheckUrl(context.config())
  const reads = await Promise.all(
    files.map(async (name) => {
      const file = resolve(context.cwd, name)
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw new BadRequest(
          `${name} cannot be read: ${messageOf(error)}`,
          'name routine files and webhook sources, or one folder of routines',
        )
      })
      return isDefinitionFile(basename(file))
        ? readSource(file, text, checkUrl)
        : readRoutine(file, text, readOptions(context))
    }),
  )
  const routines = reads.flatMap((read) => ('routine' in read ? [read.routine] : []))
  const sources = reads.flatMap((read) => ('defined' in read ? [read.defined] : []))
  const problems = reads.flatMap((read) => ('problems' in read ? read.problems : []))
  const warnings = [
    ...routines.flatMap((routine) => lintAlone(context, routine)),
    ...lintNames(sources),
    ...(await findMissingSecrets(context, sources)),
  ]
  return { routines, sources, problems, warnings }
}
