import { Argument, type Command } from 'commander'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { BadRequest, Conflict } from '../errors.ts'
import { namePattern, routineJsonSchema } from '../routines/keys/front-matter.ts'
import { connectorJsonSchema } from '../routines/connectors/connector-keys.ts'
import { sourceJsonSchema } from '../routines/webhooks/source-keys.ts'
import { newRoutine } from '../routines/template.ts'
import { routinesFolder } from './check.ts'
import type { Context } from './context.ts'

const schemas = { routine: routineJsonSchema, webhook: sourceJsonSchema, connector: connectorJsonSchema }
const schemaFile = 'routine.schema.json'

export function addInit(program: Command, context: Context): void {
  program
    .command('init')
    .description('make a routines folder with a first routine, and the schema that editors read')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const written = await write(context, 'first-routine').catch((error: unknown) => {
        if (!(error instanceof Conflict)) throw error
        context.err(`${error.message}: left as it is\n`)
      })
      if (options.json) return context.out(`${JSON.stringify({ file: written ?? null })}\n`)
      if (written !== undefined) context.out(`wrote ${relative(context.cwd, written)}\n`)
      context.out(`  next  overnight check, then overnight up\n`)
    })

  program
    .command('new')
    .argument('<name>', 'small letters, digits and -')
    .description('write a new routine file that is valid, to be edited')
    .option('--json', 'print JSON')
    .action(async (name: string, options: { json?: true }) => {
      if (!namePattern.test(name)) {
        throw new BadRequest(
          `${JSON.stringify(name)} cannot be the name of a routine`,
          'small letters, digits and -, at most 63, such as nightly-dependencies',
        )
      }
      const file = await write(context, name)
      context.out(options.json ? `${JSON.stringify({ file })}\n` : `wrote ${relative(context.cwd, file)}\n`)
    })

  program
    .command('schema')
    .description('print the JSON Schema of the front matter, of webhook sources or of connectors, for editors')
    .addArgument(new Argument('[of]', 'what is written').choices(Object.keys(schemas)).default('routine'))
    .action((of: keyof typeof schemas) => {
      context.out(`${JSON.stringify(schemas[of](), null, 2)}\n`)
    })
}

/** The new file, and beside it the schema, so that the line at its top finds that without a service. Answers the file's path. */
async function write(context: Context, name: string): Promise<string> {
  const routinesDir = routinesFolder(context)
  await mkdir(routinesDir, { recursive: true })
  await writeFile(join(routinesDir, schemaFile), `${JSON.stringify(routineJsonSchema(), null, 2)}\n`)
  const file = join(routinesDir, `${name}.md`)
  const text = newRoutine({ schema: schemaFile })
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new Conflict(`${relative(context.cwd, file)} exists`, 'take another name, or edit it')
    throw error
  })
  return file
}
