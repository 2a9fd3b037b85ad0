import type { Ledger } from '../ledger/ledger.ts'
import { parseGoodTexts, type SourceMemory } from '../routines/webhooks/good-texts.ts'

const key = 'webhook_sources'

/** The last good version of each file in `webhooks/`, in the ledger: a broken file keeps it over a restart, too. */
export const createSourceMemory = ({ settings }: Pick<Ledger, 'settings'>): SourceMemory => ({
  recall: async () => parseGoodTexts((await settings.find(key))?.value),
  keep: (texts) => settings.put(key, texts, 'files'),
})
