import type { Command } from 'commander'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BadRequest } from '../errors.ts'
import { formatProblem, relativeTo } from '../routines/format.ts'
import { createFolderSource } from '../routines/library/folder-source.ts'
import { readLibrary, type LibrarySnapshot } from '../routines/library/library.ts'
import { lintAfter } from '../routines/lint-after.ts'
import { lintRoutine } from '../routines/lint.ts'
import type { Connector } from '../routines/connectors/connector.ts'
import { lintConnectors } from '../routines/connectors/lint-connectors.ts'
import type { Problem, Routine } from '../routines/routine.ts'
import { lintNames, lintWebhooks } from '../routines/webhooks/lint-sources.ts'
import type { WebhookSource } from '../routines/webhooks/source.ts'
import { lintEvents, lintSignedOut } from '../triggers/github/lint-events.ts'
import { exitCodes, type Context } from './context.ts'
import { readFiles, readOptions } from './read-files.ts'
import { findMissingInConnectors, readConnectorsFolder } from './read-connectors.ts'
import { findMissingSecrets, readSourcesFolder } from './read-sources.ts'

export function addCheck(program: Command, context: Context): void {
  program
    .command('check')
    .argument(
      '[file...]',
      'routine files, webhook sources and connectors, or a folder of routines; without any, the folders of the service',
    )
    .description(
      'every mistake in routine files, webhook sources and connectors, with its line, column and what to do (of keys first, then of what they say); exit 1 when there is one',
    )
    .option('--json', 'print JSON')
    .action(async (files: string[], options: { json?: true }) => {
      const { routines, sources, connectors, problems, warnings } = await read(context, files)
      if (options.json) {
        const found = {
          routines: routines.map(({ name, file, hash }) => ({ name, file, hash })),
          sources: sources.map(({ name, file }) => ({ name, file })),
          connectors: connectors.map(({ name, file }) => ({ name, file })),
        }
        context.out(`${JSON.stringify({ ...found, errors: problems, warnings })}\n`)
      } else {
        const say = (problem: Problem, kind: string) =>
          context.out(`${kind}${formatProblem(relativeTo(context.cwd, problem))}\n`)
        for (const problem of problems) say(problem, '')
        for (const warning of warnings) say(warning, 'warning: ')
        const good = routines.length + sources.length + connectors.length
        context.out(`${good} good, ${counted(problems, 'error')}, ${counted(warnings, 'warning')}\n`)
      }
      context.exit(problems.length > 0 ? exitCodes.theirs : exitCodes.ok)
    })
}

const counted = ({ length }: readonly Problem[], what: string) => `${length} ${what}${length === 1 ? '' : 's'}`

type Checked = {
  routines: readonly Routine[]
  sources: readonly WebhookSource[]
  connectors: readonly Connector[]
  problems: Problem[]
  warnings: Problem[]
}

async function read(context: Context, names: readonly string[]): Promise<Checked> {
  const folder = names.length === 1 ? resolve(context.cwd, names[0]!) : undefined
  if (folder !== undefined && (await stat(folder).catch(() => undefined))?.isDirectory())
    return readAll(context, {
      routines: folder,
      webhooks: join(folder, '..', 'webhooks'),
      connectors: join(folder, '..', 'connectors'),
    })
  if (names.length > 0) return checkFiles(context, names)
  const { webhooksDir: webhooks, connectorsDir: connectors } = context.config()
  return readAll(context, { routines: routinesFolder(context), webhooks, connectors })
}

type Folders = { routines: string; webhooks: string; connectors: string }

async function readAll(context: Context, folders: Folders): Promise<Checked> {
  const { routines, problems } = await readFolder(context, folders.routines)
  const found = await readSourcesFolder(context, folders.webhooks)
  const sources = [...found.inForce.values()]
  const servers = await readConnectorsFolder(context, folders.connectors)
  const connectors = [...servers.inForce.values()]
  const names = [...found.inForce.keys(), ...found.broken]
  const warnings = [
    ...routines.flatMap((routine) => lintAlone(context, routine)),
    ...lintWebhooks(routines, names),
    ...lintAfter(routines),
    ...lintNames(sources),
    ...(await findMissing(context, { sources, connectors, routines })),
  ]
  const all = [...problems, ...found.problems, ...servers.problems, ...lintConnectors(routines, servers)]
  return { routines, sources, connectors, problems: all, warnings }
}

async function findMissing(
  context: Context,
  { sources, connectors, routines }: Pick<Checked, 'sources' | 'connectors' | 'routines'>,
): Promise<Problem[]> {
  const missing = [
    ...(await findMissingSecrets(context, sources)),
    ...(await findMissingInConnectors(context, connectors, routines)),
  ]
  return missing.map(({ problem }) => problem)
}

/** What can be said of a routine without the others. */
function lintAlone(context: Context, routine: Routine): Problem[] {
  const isSignedIn = context.config().github.auth !== undefined
  return [...lintRoutine(routine), ...lintEvents(routine), ...(isSignedIn ? [] : lintSignedOut(routine))]
}

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

async function checkFiles(context: Context, names: readonly string[]): Promise<Checked> {
  const { routines, sources, connectors, problems } = await readFiles(context, names)
  const warnings = [
    ...routines.flatMap((routine) => lintAlone(context, routine)),
    ...lintNames(sources),
    ...(await findMissing(context, { sources, connectors, routines })),
  ]
  return { routines, sources, connectors, problems, warnings }
}
