import { z } from 'zod'
import { Argv } from './argv.ts'
import { Globs } from './globs.ts'

const line = z
  .string('must be a command line, or a list of a program and its arguments')
  .regex(/\S/, 'must not be empty')
  .max(10_000)
  .regex(/^[^\0]*$/, 'must not contain a NUL')

const kept = z.string().superRefine((path, context) => {
  const fault = faultOf(path)
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
})

/** What is wrong with a path that a setup step is to keep, as a sentence; undefined = nothing. */
function faultOf(path: string): string | undefined {
  const names = path.replace(/^~\//, '').replace(/\/$/, '').split('/')
  if (path.length > 200 || /[\0-\x1f\x7f]/.test(path)) return 'must be one line of at most 200 characters'
  if (path.startsWith('/')) return 'must be a path in the checkout, such as node_modules, or in HOME, such as ~/.npm'
  if (/[*?[\]]/.test(path)) return 'must be one path, not a pattern'
  if (names.some((name) => name === '' || name === '.' || name === '..' || name === '~'))
    return 'must be a plain path, without empty names, . and ..'
  if (!path.startsWith('~/') && names[0]?.toLowerCase() === '.git')
    return 'must not be in .git, which is made anew for each run'
  return undefined
}

/** What is run before the agent starts. */
const Step = z
  .strictObject({
    run: z
      .union([line, Argv])
      .describe('A command line for sh -e, or a program and its arguments; code 0 means success.'),
    when: Globs.optional().describe('Files of the base: while they are the same, what is kept is used again.'),
    keep: z
      .union([kept, z.array(kept).min(1).max(20)])
      .optional()
      .describe('What it makes that is kept: paths in the checkout, or in HOME (~/.npm).'),
  })
  .refine(({ when, keep }) => keep === undefined || when !== undefined, {
    path: ['keep'],
    error: 'needs when beside it: the files that decide how long it is good',
  })
  .refine(({ when, keep }) => when === undefined || keep !== undefined, {
    path: ['when'],
    error: 'needs keep beside it: without it the command is run each time',
  })

export const SetupKeys = z.array(Step).max(20)
