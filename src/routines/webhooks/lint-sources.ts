import { placeAt, quoted } from '../format.ts'
import { advice } from '../nearest.ts'
import type { Problem, Routine } from '../routine.ts'
import { secretPattern } from './source-keys.ts'
import type { WebhookSource } from './source.ts'

/** Sources that routines name and nobody has: their events would come to nothing. */
export function lintWebhooks(routines: readonly Routine[], sources: readonly string[]): Problem[] {
  return routines.flatMap(({ file, source: text, webhooks }) => {
    const unknown = new Set(webhooks.map(({ source }) => source).filter((source) => !sources.includes(source)))
    return [...unknown].map((source) => {
      const at = text.search(new RegExp(`source:\\s*["']?${source}\\b`))
      const hint = sources.length === 0 ? `write webhooks/${source}.yaml` : advice(source, sources)
      return { file, ...placeAt(text, at), message: `there is no webhook source ${quoted(source)}`, hint }
    })
  })
}

/** Every secret that a source would send. */
export function sentSecretsOf({ poll }: WebhookSource): string[] {
  const inHeaders = Object.values(poll?.headers ?? {}).flatMap((value) =>
    [...value.matchAll(new RegExp(secretPattern, 'g'))].map((match) => match[1] ?? ''),
  )
  return [...new Set(inHeaders)]
}
