import { SetupError, StepFailed } from '../errors.ts'
import type { ConnectorWay } from '../relay/mcp/server-side.ts'
import { openDefinitions } from '../routines/definitions/definitions.ts'
import { connectorKind, type Connectors } from '../routines/connectors/connectors.ts'
import type { Connector } from '../routines/connectors/connector.ts'
import { faultOf } from '../routines/connectors/lint-connectors.ts'
import { readConnector } from '../routines/connectors/read-connector.ts'
import { mayCall } from '../routines/connectors/tools.ts'
import { definedBy } from '../routines/definitions/good-texts.ts'
import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import { createFolderSource } from '../routines/library/folder-source.ts'
import { createGitSource } from '../routines/library/git-source.ts'
import type { Routine } from '../routines/routine.ts'
import type { Source } from '../routines/library/source.ts'
import { fillSecrets } from './fill-secrets.ts'
import type { Ground } from './ground.ts'
import { createCheckUrl } from './poll-addresses.ts'
import { createHeadLook } from './repository-head.ts'
import { createSentSecrets } from './secrets.ts'
import { createConnectorMemory } from './source-memory.ts'

export type ConnectorsInForce = () => Promise<ReadonlyMap<string, Connector>>

export type ConnectorDesk = {
  /** The files in this process. */
  files: Connectors
  inForce: ConnectorsInForce
  ticks: { every: string; name: string; act(): Promise<unknown> }[]
}

/**
 * The files of `connectors/`. A service puts them in force, in the ledger, where every worker finds them; a command works with the files
 * as they are now, and changes nothing for others. `building` closes it.
 */
export async function openConnectorFiles(
  ground: Ground,
  building: AsyncDisposableStack,
  isService: boolean,
): Promise<ConnectorDesk> {
  const { ledger, log } = ground
  const memory = isService ? { memory: createConnectorMemory(ledger) } : {}
  const source = isService || ground.config.connectorsIn === undefined ? placeOf(ground) : nowhere
  const files = building.use(await openDefinitions({ kind: connectorKind, source, log, watch: isService, ...memory }))
  const isHere = !isService && source !== nowhere
  return {
    files,
    inForce: isHere ? async () => files.snapshot().inForce : connectorsOfService(ground),
    ticks: [{ every: '*/2 * * * * *', name: 'connectors', act: () => files.look() }],
  }
}

const nowhere: Source = { name: 'nowhere', read: async () => ({ files: [] }) }

/** What a service put in force. */
export const connectorsOfService =
  ({ ledger }: Pick<Ground, 'ledger'>): ConnectorsInForce =>
  async () =>
    definedBy(await createConnectorMemory(ledger).recall(), readConnector)

/** A folder of this machine, or one beside the routines in their git repository. */
function placeOf(ground: Ground): Source {
  const { connectorsIn, connectorsDir: dir } = ground.config
  if (connectorsIn === undefined) return createFolderSource({ dir, isWanted: isDefinitionFile })
  const { name, folder } = connectorsIn
  return createGitSource({ name, folder, dir, isWanted: isDefinitionFile, look: createHeadLook(ground, connectorsIn) })
}

/** How the run of a routine reaches its connectors. Throws StepFailed('connector') with what to do. */
export type ConnectorsFor = (
  routine: Routine,
  repository: string,
  how: Pick<ConnectorWay, 'onlyReads'>,
) => Promise<ConnectorWay[]>

export function createConnectorsFor(ground: Ground, inForce: ConnectorsInForce): ConnectorsFor {
  const { config, secrets } = ground
  const sentSecretOf = createSentSecrets(secrets, config)
  const checkUrl = createCheckUrl(config)

  async function wayTo(connector: Connector, asker: { routine: string; repository: string }) {
    const { name, url } = connector
    const headers = () => fillHeaders(connector, (secret) => sentSecretOf(secret, url, asker))
    const refused = checkUrl(url)
    if (refused) throw new StepFailed('connector', `the connector ${name}: ${refused.message}`, { hint: refused.hint })
    await headers().catch((error: unknown) => {
      if (!(error instanceof SetupError)) throw error
      const hint = error.hint === undefined ? {} : { hint: error.hint }
      throw new StepFailed('connector', `the connector ${name}: ${error.message}`, hint)
    })
    return { name, url, headers }
  }

  return async (routine, repository, { onlyReads }) => {
    if (routine.connectors.length === 0) return []
    const files = { inForce: await inForce(), broken: new Set<string>() }
    return Promise.all(
      routine.connectors.map(async (use) => {
        const fault = faultOf(use, routine, files)
        const connector = files.inForce.get(use.name)
        if (fault || !connector)
          throw new StepFailed('connector', fault?.message ?? use.name, fault ? { hint: fault.hint } : {})
        const way = await wayTo(connector, { routine: routine.name, repository })
        return { ...way, onlyReads, mayCall: (tool: string) => mayCall(connector, use, tool) }
      }),
    )
  }
}

type SecretOf = Parameters<typeof fillSecrets>[1]

async function fillHeaders({ headers }: Connector, secretOf: SecretOf): Promise<Record<string, string>> {
  const filled = Object.entries(headers).map(async ([header, written]) => {
    const value = await fillSecrets(written, secretOf)
    // A character that no header may have (RFC 9110, 5.5) would end it, and begin another.
    if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return [header, value] as const
    throw new SetupError(
      `a secret in the header ${header} has a line end, or another character that no header may have`,
      'store the secret again, as one line',
    )
  })
  return Object.fromEntries(await Promise.all(filled))
}
