import type { WebhookDesk } from '../http/hooks/webhook.ts'
import { createGuardedFetch } from '../outgoing/guarded-fetch.ts'
import { createFolderSource } from '../routines/library/folder-source.ts'
import { createGitSource } from '../routines/library/git-source.ts'
import type { Source } from '../routines/library/source.ts'
import type { CheckUrl } from '../routines/definitions/sent-headers.ts'
import { isDefinitionFile } from '../routines/definitions/read-definition.ts'
import { openDefinitions } from '../routines/definitions/definitions.ts'
import { sourceKind, type WebhookSources } from '../routines/webhooks/sources.ts'
import { createPoller } from '../triggers/poll/poller.ts'
import { fillSecrets } from './fill-secrets.ts'
import type { Ground } from './ground.ts'
import { createCheckUrl } from './poll-addresses.ts'
import { createHeadLook } from './repository-head.ts'
import { createSourceMemory } from './source-memory.ts'
import { createSentSecrets, type SentSecretOf } from './secrets.ts'

export type Webhooks = {
  desk: WebhookDesk
  sources: WebhookSources
  ticks: { every: string; name: string; act(): Promise<unknown> }[]
}
type WebhooksOptions = {
  /** A command receives nothing and asks nobody. */
  isService: boolean
  /** There are new deliveries. */
  received(): void
}

/** The sources of `webhooks/` in this process: who may send, and who is asked. `building` closes it. */
export async function openWebhooks(
  ground: Ground,
  building: AsyncDisposableStack,
  { isService, received }: WebhooksOptions,
): Promise<Webhooks> {
  const { config, ledger, log } = ground
  const sources = building.use(
    await openDefinitions({
      kind: sourceKind,
      source: isService ? placeOf(ground) : nowhere,
      log,
      watch: isService,
      memory: isService ? createSourceMemory(ledger) : undefined,
    }),
  )
  const { secretOf } = ground.secrets
  const sentSecretOf = createSentSecrets(ground.secrets, config)
  const checkUrl = createCheckUrl(config)
  const secretFor = (url: string) => async (name: string) => withAll(await sentSecretOf(name, url), checkUrl(url))
  const poller = building.use(
    createPoller({
      ledger,
      sources: () => sources.snapshot().inForce.values(),
      fillSecrets: (text, url) => fillSecrets(text, secretFor(url)),
      fetch: createGuardedFetch({ allowedHosts: config.allowedHosts }),
      received,
      log,
    }),
  )
  const desk: WebhookDesk = {
    snapshot: () => sources.snapshot(),
    find(name) {
      const { inForce, broken, isKnown } = sources.snapshot()
      return inForce.get(name) ?? (broken.has(name) || !isKnown ? 'broken' : undefined)
    },
    async secretsOf({ secrets }) {
      const found = await Promise.all(secrets.map((name) => secretOf(name)))
      return found.flatMap((secret) => ('value' in secret ? [secret.value] : []))
    },
  }
  const ticks = [
    { every: '*/2 * * * * *', name: 'webhook sources', act: () => sources.look() },
    { every: '* * * * * *', name: 'polling', act: () => poller.tick() },
  ]
  return { desk, sources, ticks }
}

const nowhere: Source = { name: 'nowhere', read: async () => ({ files: [] }) }

/** A folder of this machine, or one beside the routines in their git repository. */
function placeOf(ground: Ground): Source {
  const { webhooksIn, webhooksDir: dir } = ground.config
  if (webhooksIn === undefined) return createFolderSource({ dir, isWanted: isDefinitionFile })
  const { name, folder } = webhooksIn
  return createGitSource({ name, folder, dir, isWanted: isDefinitionFile, look: createHeadLook(ground, webhooksIn) })
}

type Sent = Awaited<ReturnType<SentSecretOf>>

/** What has to be listed in two places is told at once. */
function withAll(secret: Sent, refused: ReturnType<CheckUrl>): Sent {
  if ('value' in secret || refused === undefined) return secret
  return { message: `${secret.message}, and ${refused.message}`, hint: `${secret.hint}, and ${refused.hint}` }
}
