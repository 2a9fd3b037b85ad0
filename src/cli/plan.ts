import type { Command } from 'commander'
import { createHash } from 'node:crypto'
import { basename, join, resolve } from 'node:path'
import { BadRequest } from '../errors.ts'
import type { FilesJson, InForceJson } from '../http/plan-api.ts'
import { createFolderSource } from '../routines/folder-source.ts'
import type { FolderFile } from '../routines/folder.ts'
import type { Plan } from '../routines/plan/compare.ts'
import { planMarkdown, planText } from '../routines/plan/write-plan.ts'
import { isSourceFile } from '../routines/webhooks/sources.ts'
import { routinesFolder } from './check.ts'
import { connect, type Client } from './client.ts'
import { exitCodes, type Context } from './context.ts'

type Options = { json?: true; markdown?: true }

export function addPlan(program: Command, context: Context): void {
  program
    .command('plan')
    .argument('[folder]', 'routine files, with webhooks/ beside it; default: the folders of the service')
    .description('what would change if these files were put in force: triggers, next fires, rights, budgets, words')
    .option('--json', 'print JSON')
    .option('--markdown', 'print Markdown, for a comment')
    .action(async (folder: string | undefined, { json, markdown }: Options) => {
      const dir = folder === undefined ? routinesFolder(context) : resolve(context.cwd, folder)
      const webhooks = folder === undefined ? context.config().webhooksDir : join(dir, '..', 'webhooks')
      await using client = await connect(context)
      const asked = { ...(await routinesIn(dir, client)), sources: await sourcesIn(webhooks) }
      const plan = await client.post<Plan>('/v1/plan', asked)
      const write = markdown ? planMarkdown : planText
      context.out(json ? `${JSON.stringify(plan)}\n` : write(plan))
      const isBroken = plan.counts.broken > 0 || plan.sources.some(({ change }) => change === 'broken')
      context.exit(isBroken ? exitCodes.theirs : exitCodes.ok)
    })
}

/** Only what differs is sent: of ten thousand files that is a handful. */
async function routinesIn(dir: string, client: Client): Promise<FilesJson> {
  const tree = await createFolderSource({ dir }).read()
  if ('missing' in tree) throw new BadRequest(`${dir}: ${tree.missing.message}`, tree.missing.hint)
  const files = textsOf(tree.files)
  const { routines } = await client.json<InForceJson>('/v1/plan/in-force')
  const known = new Map(routines.map(({ name, hash }) => [name, hash]))
  const nameOf = (entry: string) => basename(entry).replace(/\.md$/i, '')
  const isSame = ({ entry, text }: Text) => known.get(nameOf(entry)) === createHash('sha256').update(text).digest('hex')
  return {
    files: files.filter((file) => !isSame(file)),
    same: files.filter(isSame).map(({ entry }) => nameOf(entry)),
  }
}

/** undefined: there is no such folder, which changes nothing. */
async function sourcesIn(dir: string): Promise<FilesJson['sources']> {
  const tree = await createFolderSource({ dir, isWanted: isSourceFile }).read()
  return 'missing' in tree ? undefined : textsOf(tree.files)
}

type Text = { entry: string; text: string }

function textsOf(files: readonly FolderFile[]): Text[] {
  const unreadable = files.find((file) => 'fault' in file)
  if (unreadable && 'fault' in unreadable)
    throw new BadRequest(`${unreadable.file}: ${unreadable.fault.message}`, unreadable.fault.hint)
  return files.flatMap((file) => ('text' in file ? [{ entry: file.entry, text: file.text }] : []))
}
