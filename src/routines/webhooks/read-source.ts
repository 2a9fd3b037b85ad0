import { createRead, type Grammar, type ReadDefinition } from '../definitions/read-definition.ts'
import type { CheckUrl } from '../definitions/sent-headers.ts'
import { checkSource } from './check-source.ts'
import { SourceFile, sourceJsonSchema } from './source-keys.ts'
import type { WebhookSource } from './source.ts'
import { toSource } from './to-source.ts'

const grammar = (checkUrl: CheckUrl): Grammar<SourceFile, WebhookSource> => ({
  noun: 'source',
  example: 'sentry.yaml',
  // `/hooks/github` is the forge's own, and has rules of its own.
  taken: { github: 'events of repositories come to /hooks/github and need no file' },
  schema: SourceFile,
  jsonSchema: sourceJsonSchema,
  check: (written) => checkSource(written, checkUrl),
  make: (written, about) => ({ ...about, ...toSource(written) }),
})

/**
 * A source file's text as a WebhookSource, or everything that is wrong with it. Pure; never throws. `file` names the source.
 * `checkUrl` is for whoever checks a file where it will be used: which addresses may be asked is no matter of the file.
 */
export function readSource(
  file: string,
  text: string,
  checkUrl: CheckUrl = () => undefined,
): ReadDefinition<WebhookSource> {
  return createRead(grammar(checkUrl))(file, text)
}
