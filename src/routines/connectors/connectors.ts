import {
  openDefinitions,
  readDefinitions,
  readDefinitionTexts,
  type Definitions,
  type DefinitionsOptions,
  type DefinitionsSnapshot,
} from '../definitions/definitions.ts'
import type { CheckUrl } from '../definitions/sent-headers.ts'
import type { Source } from '../library/source.ts'
import type { Connector } from './connector.ts'
import { readConnector } from './read-connector.ts'

export type ConnectorsSnapshot = DefinitionsSnapshot<Connector>
export type Connectors = Definitions<Connector>

/** The files as they are now, once. */
export const readConnectors = (source: Source, checkUrl?: CheckUrl): Promise<ConnectorsSnapshot> =>
  readDefinitions(source, (file, text) => readConnector(file, text, checkUrl))

/** What these texts would put in force, if they were all there is. */
export const readConnectorTexts = (texts: readonly { entry: string; text: string }[]): ConnectorsSnapshot =>
  readDefinitionTexts(texts, (file, text) => readConnector(file, text))

/** Reads the files and keeps up with them until it is disposed. */
export const openConnectors = (options: Omit<DefinitionsOptions<Connector>, 'kind'>): Promise<Connectors> =>
  openDefinitions({ ...options, kind: { called: 'connector', read: (file, text) => readConnector(file, text) } })
