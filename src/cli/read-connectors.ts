import { dirname } from 'node:path'
import { readDefinitions } from '../routines/definitions/definitions.ts'
import { connectorKind, type ConnectorsSnapshot } from '../routines/connectors/connectors.ts'
import type { Connector } from '../routines/connectors/connector.ts'
import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import { secretsIn } from '../routines/definitions/sent-headers.ts'
import { createFolderSource } from '../routines/library/folder-source.ts'
import type { Routine } from '../routines/routine.ts'
import { nobody, type Asker } from '../secrets/secret-source.ts'
import { createCheckUrl } from '../service/poll-addresses.ts'
import type { Context } from './context.ts'
import { lookForSecrets, missingIn, type Missing } from './missing-secrets.ts'
import { repositoryName } from './repository-name.ts'

/** The folder of connectors as it is on disk now, without a service. */
export function readConnectorsFolder(context: Context, dir?: string): Promise<ConnectorsSnapshot> {
  const config = context.config()
  const source = createFolderSource({ dir: dir ?? config.connectorsDir, isWanted: isDefinitionFile })
  return readDefinitions(connectorKind, source, createCheckUrl(config))
}

/** Secrets of connectors that are not there for a routine that has one, or may not go where they would be sent. */
export async function findMissingInConnectors(
  context: Context,
  connectors: Iterable<Connector>,
  routines: readonly Routine[],
): Promise<Missing[]> {
  const lookFor = await lookForSecrets(context)
  const found = new Map<string, Missing>()
  for (const connector of connectors) {
    const { file, url } = connector
    const names = secretsIn(connector.headers)
    const askers = names.length === 0 ? [] : await askersOf(connector, routines)
    for (const { name, asker } of askers.flatMap((asker) => names.map((name) => ({ name, asker })))) {
      const fault = await lookFor(name, { url, asker })
      if (fault) found.set(`${file} ${fault.message}`, missingIn(file, fault))
    }
  }
  return [...found.values()]
}

/** Some secrets are for one routine, or one repository. */
async function askersOf({ name }: Connector, routines: readonly Routine[]): Promise<Asker[]> {
  const users = routines.filter(({ connectors }) => connectors.some((use) => use.name === name))
  if (users.length === 0) return [nobody]
  return Promise.all(
    users.map(async ({ name: routine, file, repository }) => ({
      routine,
      repository: repository === null ? null : await repositoryName(dirname(file), repository),
    })),
  )
}
