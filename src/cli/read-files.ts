import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { BadRequest, messageOf } from '../errors.ts'
import type { Connector } from '../routines/connectors/connector.ts'
import { readConnector } from '../routines/connectors/read-connector.ts'
import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import { readRoutine } from '../routines/reading/read.ts'
import type { Problem, Routine } from '../routines/routine.ts'
import { readSource } from '../routines/webhooks/read-source.ts'
import type { WebhookSource } from '../routines/webhooks/source.ts'
import { createCheckUrl } from '../service/poll-addresses.ts'
import { checkSchedule } from '../triggers/schedule/check-schedule.ts'
import type { Context } from './context.ts'

type Read = { routines: Routine[]; sources: WebhookSource[]; connectors: Connector[]; problems: Problem[] }
const nothing: Read = { routines: [], sources: [], connectors: [], problems: [] }

export const readOptions = (context: Context) => ({ defaultEngine: context.config().engine, checkSchedule })

/** Files that a person named, whatever they are. Throws BadRequest for one that cannot be read. */
export async function readFiles(context: Context, names: readonly string[]): Promise<Read> {
  const reads = await Promise.all(names.map((name) => readOne(context, name)))
  return {
    routines: reads.flatMap(({ routines }) => routines),
    sources: reads.flatMap(({ sources }) => sources),
    connectors: reads.flatMap(({ connectors }) => connectors),
    problems: reads.flatMap(({ problems }) => problems),
  }
}

async function readOne(context: Context, name: string): Promise<Read> {
  const file = resolve(context.cwd, name)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new BadRequest(
      `${name} cannot be read: ${messageOf(error)}`,
      'name routine files, webhook sources and connectors, or one folder of routines',
    )
  })
  if (!isDefinitionFile(basename(file))) {
    const read = readRoutine(file, text, readOptions(context))
    return 'routine' in read ? { ...nothing, routines: [read.routine] } : { ...nothing, ...read }
  }
  const checkUrl = createCheckUrl(context.config())
  // The name of its folder says what a file is.
  if (dirname(file) === context.config().connectorsDir || basename(dirname(file)) === 'connectors') {
    const read = readConnector(file, text, checkUrl)
    return 'defined' in read ? { ...nothing, connectors: [read.defined] } : { ...nothing, ...read }
  }
  const read = readSource(file, text, checkUrl)
  return 'defined' in read ? { ...nothing, sources: [read.defined] } : { ...nothing, ...read }
}
