import type { Definitions, DefinitionsSnapshot, Kind } from '../definitions/definitions.ts'
import type { Connector } from './connector.ts'
import { readConnector } from './read-connector.ts'

export type ConnectorsSnapshot = DefinitionsSnapshot<Connector>
export type Connectors = Definitions<Connector>

export const connectorKind: Kind<Connector> = { called: 'connector', read: readConnector }
