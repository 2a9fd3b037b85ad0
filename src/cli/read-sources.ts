import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import { createFolderSource } from '../routines/library/folder-source.ts'
import { sentSecretsOf } from '../routines/webhooks/lint-sources.ts'
import type { WebhookSource } from '../routines/webhooks/source.ts'
import { readDefinitions } from '../routines/definitions/definitions.ts'
import { sourceKind, type SourcesSnapshot } from '../routines/webhooks/sources.ts'
import { createCheckUrl } from '../service/poll-addresses.ts'
import type { Context } from './context.ts'
import { lookForSecrets, missingIn, type Missing } from './missing-secrets.ts'

/** The folder of webhook sources as it is on disk now, without a service. */
export function readSourcesFolder(context: Context, dir?: string): Promise<SourcesSnapshot> {
  const config = context.config()
  return readDefinitions(
    sourceKind,
    createFolderSource({ dir: dir ?? config.webhooksDir, isWanted: isDefinitionFile }),
    createCheckUrl(config),
  )
}

/** Secrets that sources name and that are not there, or may not go where they would be sent. */
export async function findMissingSecrets(context: Context, sources: Iterable<WebhookSource>): Promise<Missing[]> {
  const lookFor = await lookForSecrets(context)
  const found: Missing[] = []
  for (const source of sources) {
    const sent = sentSecretsOf(source).map((name) => ({ name, url: source.poll?.url ?? '' }))
    for (const { name, ...wanted } of [...source.secrets.map((name) => ({ name })), ...sent]) {
      const fault = await lookFor(name, wanted)
      if (fault) found.push(missingIn(source.file, fault))
    }
  }
  return found
}
