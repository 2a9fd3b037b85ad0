import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { BadRequest, messageOf } from '../errors.ts'
import { formatProblem, relativeTo } from '../routines/format.ts'
import { createFolderSource } from '../routines/folder-source.ts'
import { readLibrary, type LibrarySnapshot } from '../routines/library.ts'
import { lintRoutine } from '../routines/lint.ts'
import { readRoutine } from '../routines/read.ts'
import type { Problem } from '../routines/routine.ts'
import { checkSchedule } from '../triggers/schedule/check-schedule.ts'
import { exitCodes, type Context } from './context.ts'

export function addCheck(program: Command, context: Context): void {
  program
    .command('check')
    .argument('[file...]', 'routine files; without any, the whole folder')
    .description('every mistake in routine files, with its line, column and what to do; exit 1 when there is one')
    .option('--json', 'print JSON')
    .action(async (files: string[], options: { json?: true }) => {
      const { routines, problems } = files.length > 0 ? await readFiles(context, files) : await readFolder(context)
      const warnings = routines.flatMap(lintRoutine)
      if (options.json)
        context.out(
          `${JSON.stringify({ routines: routines.map(({ name, file, hash }) => ({ name, file, hash })), errors: problems, warnings })}\n`,
        )
      else {
        const say = (problem: Problem, kind: string) =>
          context.out(`${kind}${formatProblem(relativeTo(context.cwd, problem))}\n`)
        for (const problem of problems) say(problem, '')
        for (const warning of warnings) say(warning, 'warning: ')
        context.out(`${routines.length} good, ${problems.length} errors, ${warnings.length} warnings\n`)
      }
      context.exit(problems.length > 0 ? exitCodes.theirs : exitCodes.ok)
    })
}

const readOptions = (context: Context) => ({ defaultEngine: context.config().engine, checkSchedule })

/** The folder as it is on disk now, without a service. */
export function readFolder(context: Context): Promise<LibrarySnapshot> {
  return readLibrary(createFolderSource({ dir: context.config().routinesDir }), readOptions(context))
}

async function readFiles(
  context: Context,
  files: readonly string[],
): Promise<Pick<LibrarySnapshot, 'routines' | 'problems'>> {
  const reads = await Promise.all(
    files.map(async (name) => {
      const file = resolve(context.cwd, name)
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw new BadRequest(`${name} cannot be read: ${messageOf(error)}`, 'name a routine file')
      })
      return readRoutine(file, text, readOptions(context))
    }),
  )
  return {
    routines: reads.flatMap((read) => ('routine' in read ? [read.routine] : [])),
    problems: reads.flatMap((read) => ('problems' in read ? read.problems : [])),
  }
}
