import {
  openDefinitions,
  readDefinitions,
  readDefinitionTexts,
  type Definitions,
  type DefinitionsOptions,
  type DefinitionsSnapshot,
} from '../definitions/definitions.ts'
import type { Source } from '../library/source.ts'
import type { CheckUrl } from '../definitions/sent-headers.ts'
import { readSource } from './read-source.ts'
import type { WebhookSource } from './source.ts'

export type SourcesSnapshot = DefinitionsSnapshot<WebhookSource>
export type WebhookSources = Definitions<WebhookSource>

/** The files as they are now, once. */
export const readSources = (source: Source, checkUrl?: CheckUrl): Promise<SourcesSnapshot> =>
  readDefinitions(source, (file, text) => readSource(file, text, checkUrl))

/** What these texts would put in force, if they were all there is. */
export const readSourceTexts = (texts: readonly { entry: string; text: string }[]): SourcesSnapshot =>
  readDefinitionTexts(texts, (file, text) => readSource(file, text))

/** Reads the files and keeps up with them until it is disposed. */
export const openSources = (options: Omit<DefinitionsOptions<WebhookSource>, 'kind'>): Promise<WebhookSources> =>
  openDefinitions({
    ...options,
    kind: { called: 'webhook source', read: (file, text) => readSource(file, text) },
  })
