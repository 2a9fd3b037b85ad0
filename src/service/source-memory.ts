import type { Ledger } from '../ledger/ledger.ts'
import { parseGoodTexts, type DefinitionMemory } from '../routines/definitions/good-texts.ts'

/** The last good version of each file in `webhooks/`, in the ledger: a broken file keeps it over a restart, too. */
export const createSourceMemory = ({ settings }: Pick<Ledger, 'settings'>): DefinitionMemory =>
  createMemory(settings, 'webhook_sources')

/** The version of each file in `connectors/` that is in force, in the ledger: workers go by it, wherever they are. */
export const createConnectorMemory = ({ settings }: Pick<Ledger, 'settings'>): DefinitionMemory => ({
  ...createMemory(settings, 'connectors'),
  isShared: true,
})

const createMemory = (settings: Ledger['settings'], key: string): DefinitionMemory => ({
  recall: async () => parseGoodTexts((await settings.find(key))?.value),
  keep: (texts) => settings.put(key, texts, 'files'),
})
