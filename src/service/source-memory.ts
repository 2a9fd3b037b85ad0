import type { Ledger } from '../ledger/ledger.ts'
import { parseGoodTexts, type DefinitionMemory } from '../routines/definitions/good-texts.ts'

const key = 'webhook_sources'

/** The last good version of each file in `webhooks/`, in the ledger: a broken file keeps it over a restart, too. */
export const createSourceMemory = ({ settings }: Pick<Ledger, 'settings'>): DefinitionMemory => ({
  recall: async () => parseGoodTexts((await settings.find(key))?.value),
  keep: (texts) => settings.put(key, texts, 'files'),
})
