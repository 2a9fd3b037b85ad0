import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import { createFolderSource } from '../routines/folder-source.ts'
import type { Problem } from '../routines/routine.ts'
import { sentSecretsOf } from '../routines/webhooks/lint-sources.ts'
import type { WebhookSource } from '../routines/webhooks/source.ts'
import { readSources, type SourcesSnapshot } from '../routines/webhooks/sources.ts'
import { createCheckUrl } from '../service/poll-addresses.ts'
import { createSentSecrets, openSecrets } from '../service/secrets.ts'
import type { Context } from './context.ts'
import { storedSecrets } from './stored-secrets.ts'

/** The folder of webhook sources as it is on disk now, without a service. */
export function readSourcesFolder(context: Context, dir?: string): Promise<SourcesSnapshot> {
  const config = context.config()
  return readSources(
    createFolderSource({ dir: dir ?? config.webhooksDir, isWanted: isDefinitionFile }),
    createCheckUrl(config),
  )
}

/** Secrets that sources name and that are not there, or may not go where they would be sent. */
export async function findMissingSecrets(context: Context, sources: Iterable<WebhookSource>): Promise<Problem[]> {
  const config = context.config()
  const secrets = openSecrets(config, { store: await storedSecrets(context) })
  const sentSecretOf = createSentSecrets(secrets, config)
  const problems: Problem[] = []
  for (const source of sources) {
    const at = { file: source.file, line: 1, column: 1 }
    for (const name of source.secrets) {
      const secret = await secrets.secretOf(name)
      if ('missing' in secret) problems.push({ ...at, message: `secret:${name} is not there`, hint: secret.missing })
    }
    for (const name of sentSecretsOf(source)) {
      const secret = await sentSecretOf(name, source.poll?.url ?? '')
      if ('message' in secret) problems.push({ ...at, ...secret })
    }
  }
  return problems
}
