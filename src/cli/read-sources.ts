import { createFolderSource } from '../routines/folder-source.ts'
import type { Problem } from '../routines/routine.ts'
import { secretsOf } from '../routines/webhooks/lint-sources.ts'
import type { WebhookSource } from '../routines/webhooks/source.ts'
import { isSourceFile, readSources, type SourcesSnapshot } from '../routines/webhooks/sources.ts'
import { createSecrets } from '../service/secrets.ts'
import type { Context } from './context.ts'

/** The folder of webhook sources as it is on disk now, without a service. */
export function readSourcesFolder(context: Context): Promise<SourcesSnapshot> {
  return readSources(createFolderSource({ dir: context.config().webhooksDir, isWanted: isSourceFile }))
}

/** Secrets that sources name and that are not there: what such a source is sent is refused. */
export async function findMissingSecrets(context: Context, sources: Iterable<WebhookSource>): Promise<Problem[]> {
  const secretOf = createSecrets(context.config())
  const problems: Problem[] = []
  for (const source of sources) {
    for (const name of secretsOf(source)) {
      const secret = await secretOf(name)
      const words = { message: `secret:${name} is not there`, line: 1, column: 1 }
      if ('missing' in secret) problems.push({ file: source.file, ...words, hint: secret.missing })
    }
  }
  return problems
}
