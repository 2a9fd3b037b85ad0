import { readConnectors, type ConnectorsSnapshot } from '../routines/connectors/connectors.ts'
import type { Connector } from '../routines/connectors/connector.ts'
import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import { secretsIn } from '../routines/definitions/sent-headers.ts'
import { createFolderSource } from '../routines/folder-source.ts'
import type { Problem, Routine } from '../routines/routine.ts'
import { nobody, type Asker } from '../secrets/secret-source.ts'
import { createCheckUrl } from '../service/poll-addresses.ts'
import { createSentSecrets, openSecrets } from '../service/secrets.ts'
import type { Context } from './context.ts'
import { storedSecrets } from './stored-secrets.ts'

/** The folder of connectors as it is on disk now, without a service. */
export function readConnectorsFolder(context: Context, dir?: string): Promise<ConnectorsSnapshot> {
  const config = context.config()
  const source = createFolderSource({ dir: dir ?? config.connectorsDir, isWanted: isDefinitionFile })
  return readConnectors(source, createCheckUrl(config))
}

/** Secrets of connectors that are not there for a routine that has one, or may not go where they would be sent. */
export async function findMissingInConnectors(
  context: Context,
  connectors: Iterable<Connector>,
  routines: readonly Routine[],
): Promise<Problem[]> {
  const config = context.config()
  const sentSecretOf = createSentSecrets(openSecrets(config, { store: await storedSecrets(context) }), config)
  const wanted = [...connectors].flatMap((connector) =>
    askersOf(connector, routines).flatMap((asker) =>
      secretsIn(connector.headers).map((name) => ({ name, asker, connector })),
    ),
  )
  const problems = new Map<string, Problem>()
  for (const { name, asker, connector } of wanted) {
    const { file, url } = connector
    const secret = await sentSecretOf(name, url, asker)
    if ('message' in secret) problems.set(`${file} ${secret.message}`, { file, line: 1, column: 1, ...secret })
  }
  return [...problems.values()]
}

/** Some secrets are for one routine, or one repository. */
function askersOf({ name }: Connector, routines: readonly Routine[]): Asker[] {
  const users = routines.filter(({ connectors }) => connectors.some((use) => use.name === name))
  return users.length === 0 ? [nobody] : users.map(({ name: routine, repository }) => ({ routine, repository }))
}
