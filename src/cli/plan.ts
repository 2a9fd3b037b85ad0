import type { Command } from 'commander'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { BadRequest } from '../errors.ts'
import type { FilesJson, InForceJson } from '../http/api/plan.ts'
import { createFolderSource } from '../routines/library/folder-source.ts'
import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import type { FolderFile } from '../routines/library/folder.ts'
import { readTexts } from '../routines/library/library.ts'
import type { Plan } from '../routines/plan/compare.ts'
import { planMarkdown, planText } from '../routines/plan/write-plan.ts'
import { readDefinitionTexts } from '../routines/definitions/definitions.ts'
import { connectorKind } from '../routines/connectors/connectors.ts'
import { sourceKind } from '../routines/webhooks/sources.ts'
import { planAlone } from '../triggers/plan-against.ts'
import { routinesFolder } from './check.ts'
import { connect, findLive } from './client.ts'
import { exitCodes, type Context } from './context.ts'
import { readOptions } from './read-files.ts'

type Options = { json?: true; markdown?: true }

export function addPlan(program: Command, context: Context): void {
  program
    .command('plan')
    .argument(
      '[folder]',
      'routine files, with webhooks/ and connectors/ beside it; default: the folders of the service',
    )
    .description('what would change if these files were put in force: triggers, next fires, rights, budgets, words')
    .option('--json', 'print JSON')
    .option('--markdown', 'print Markdown, for a comment')
    .action(async (folder: string | undefined, { json, markdown }: Options) => {
      const dir = folder === undefined ? routinesFolder(context) : resolve(context.cwd, folder)
      const { webhooksDir, connectorsDir } = context.config()
      const beside = (name: string, usual: string) => (folder === undefined ? usual : join(dir, '..', name))
      const { plan, isAlone } = await compare(context, {
        routines: await routinesIn(dir),
        sources: await definitionsIn(beside('webhooks', webhooksDir)),
        connectors: await definitionsIn(beside('connectors', connectorsDir)),
      })
      const write = markdown ? planMarkdown : planText
      context.out(json ? `${JSON.stringify(plan)}\n` : write(plan))
      if (isAlone) context.err(comparedWithNothing(context))
      const all = [...plan.routines, ...plan.sources, ...plan.connectors]
      const isBroken = all.some(({ change, problems }) => change === 'broken' || problems.length > 0)
      context.exit(isBroken ? exitCodes.theirs : exitCodes.ok)
    })
}

type Texts = { routines: Text[]; sources: Text[] | undefined; connectors: Text[] | undefined }

/** With what is in force; where nothing ever was, no data folder is made for it. */
async function compare(context: Context, { routines, ...beside }: Texts): Promise<{ plan: Plan; isAlone: boolean }> {
  if (await hasNoLedger(context)) {
    const files = readTexts(routines, readOptions(context))
    const sources = beside.sources && {
      inForce: new Map<string, never>(),
      files: readDefinitionTexts(sourceKind, beside.sources),
    }
    // Where nothing is in force, no folder is no connectors.
    const connectors = {
      inForce: new Map<string, never>(),
      files: readDefinitionTexts(connectorKind, beside.connectors ?? []),
    }
    return { plan: planAlone({ files, sources, connectors }, new Date()), isAlone: true }
  }
  await using client = await connect(context)
  const { routines: inForce } = await client.json<InForceJson>('/v1/plan/in-force')
  const asked: FilesJson = { ...onlyChanged(routines, inForce), ...beside }
  const plan = await client.post<Plan>('/v1/plan', asked)
  return { plan, isAlone: client.live === undefined && inForce.length === 0 }
}

async function hasNoLedger(context: Context): Promise<boolean> {
  const { databaseUrl, paths } = context.config()
  return databaseUrl === undefined && !existsSync(paths.ledger) && (await findLive(context)) === undefined
}

function comparedWithNothing(context: Context): string {
  const { databaseUrl, paths } = context.config()
  const where = databaseUrl === undefined ? paths.data : 'the database of DATABASE_URL'
  return `compared with nothing: no service answers here, and nothing is in force in ${where} – set OVERNIGHT_DATA to the data folder of your service\n`
}

async function routinesIn(dir: string): Promise<Text[]> {
  const tree = await createFolderSource({ dir }).read()
  if ('missing' in tree) throw new BadRequest(`${dir}: ${tree.missing.message}`, tree.missing.hint)
  return textsOf(tree.files)
}

/** Only what differs is sent: of ten thousand files that is a handful. */
function onlyChanged(files: Text[], inForce: InForceJson['routines']): Pick<FilesJson, 'files' | 'same'> {
  const known = new Map(inForce.map(({ name, hash }) => [name, hash]))
  const nameOf = (entry: string) => basename(entry).replace(/\.md$/i, '')
  const isSame = ({ entry, text }: Text) => known.get(nameOf(entry)) === createHash('sha256').update(text).digest('hex')
  return {
    files: files.filter((file) => !isSame(file)),
    same: files.filter(isSame).map(({ entry }) => nameOf(entry)),
  }
}

/** undefined: there is no such folder, which changes nothing. */
async function definitionsIn(dir: string): Promise<Texts['sources']> {
  const tree = await createFolderSource({ dir, isWanted: isDefinitionFile }).read()
  return 'missing' in tree ? undefined : textsOf(tree.files)
}

type Text = { entry: string; text: string }

function textsOf(files: readonly FolderFile[]): Text[] {
  const unreadable = files.find((file) => 'fault' in file)
  if (unreadable && 'fault' in unreadable)
    throw new BadRequest(`${unreadable.file}: ${unreadable.fault.message}`, unreadable.fault.hint)
  return files.flatMap((file) => ('text' in file ? [{ entry: file.entry, text: file.text }] : []))
}
