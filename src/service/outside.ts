import { createGitHubDesk } from '../forges/github/desk.ts'
import { createReceiver, type Receiver } from '../triggers/receive-deliveries.ts'
import { createRoutinesInForce } from '../triggers/routines-in-force.ts'
import { createSettler } from '../triggers/settle-deliveries.ts'
import { createGitHubSource } from '../triggers/github/source.ts'
import { webhooks } from '../triggers/webhook/webhooks.ts'
import type { Ground } from './ground.ts'

/** Enough for several to share the price of a write, and few enough to leave connections to others. */
const writesAtOnce = { embedded: 1, postgres: 4 }

export type Outside = {
  receiver: Receiver
  ticks: { every: string; name: string; act(): Promise<unknown> }[]
}

/** What receives events of the outside and settles them in this process. `building` closes it. */
export function openOutside(ground: Ground, building: AsyncDisposableStack, wake: () => void): Outside {
  const { config, ledger, log } = ground
  const github = createGitHubDesk({ url: config.github.url, auth: config.github.auth })
  const fromGitHub = createGitHubSource({
    github,
    runDepth: (repository, branch) => ledger.publications.depthOf(repository, branch),
  })
  const settler = createSettler({
    ledger,
    sourceOf: (name) => (name === 'github' ? fromGitHub : webhooks),
    routines: createRoutinesInForce({ ledger, routineOf: ground.routineOf, log }),
    wake,
    log,
  })
  building.defer(() => settler.stop())
  const receiver = createReceiver({
    ledger,
    atOnce: ground.isAlone ? writesAtOnce.embedded : writesAtOnce.postgres,
    received: () => void settler.wake(),
  })
  return { receiver, ticks: [{ every: '*/5 * * * * *', name: 'deliveries', act: () => settler.wake() }] }
}
