import type { Definitions, DefinitionsSnapshot, Kind } from '../definitions/definitions.ts'
import { readSource } from './read-source.ts'
import type { WebhookSource } from './source.ts'

export type SourcesSnapshot = DefinitionsSnapshot<WebhookSource>
export type WebhookSources = Definitions<WebhookSource>

export const sourceKind: Kind<WebhookSource> = { called: 'webhook source', read: readSource }
