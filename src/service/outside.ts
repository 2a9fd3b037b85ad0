import { createAskAgain } from '../triggers/github/ask-again.ts'
import type { Connectors } from '../routines/connectors/connectors.ts'
import type { Library } from '../routines/library/library.ts'
import { isPushTo, newHeadInto } from '../triggers/github/pushes.ts'
import { createForgetting } from '../triggers/forget.ts'
import type { DeliveryStep } from '../triggers/delivery-steps.ts'
import { createFollowing } from '../triggers/follow.ts'
import { createReceiver, type Receiver } from '../triggers/receive-deliveries.ts'
import { createRoutinesInForce } from '../triggers/routines-in-force.ts'
import { createSettler } from '../triggers/settle-deliveries.ts'
import { createGitHubSource } from '../triggers/github/source.ts'
import { webhooks as fromWebhooks } from '../triggers/webhook/webhooks.ts'
import type { Ground } from './ground.ts'
import { hookPlacesOf } from './hook-places.ts'
import { openPullPlans } from './plan-pulls.ts'
import { openWebhooks, type Webhooks } from './webhooks.ts'

/** The embedded store writes one after the other, and a few hundred in a second; a server leaves connections to others. */
const writes = { embedded: { atOnce: 1, mostWaiting: 1500 }, postgres: { atOnce: 4, mostWaiting: 2000 } }

export type Outside = {
  receiver: Receiver
  /** Once it can be heard: asks for what did not arrive while nobody listened. */
  lookBack(): void
  /** There is a delivery to settle that no receiver of this process wrote down. */
  settle(): void
  webhooks: Webhooks
  /** A run has ended: others may follow it. */
  follow(): void
  ticks: { every: string; name: string; act(): Promise<unknown> }[]
}

type Insiders = {
  wake: () => void
  library: Library
  connectors: Pick<Connectors, 'snapshot' | 'rescan'>
  /** A command receives nothing from outside. */
  isService: boolean
  /** Called at each named step of an event; fault tests end the process there. */
  reached(step: DeliveryStep): void
}

/** What receives events of the outside and settles them in this process. `building` closes it. */
export async function openOutside(
  ground: Ground,
  building: AsyncDisposableStack,
  { wake, library, connectors, isService, reached }: Insiders,
): Promise<Outside> {
  const { config, ledger, log } = ground
  const closing = new AbortController()
  building.defer(() => closing.abort())
  const fromGitHub = createGitHubSource({
    github: ground.github.desk,
    signal: closing.signal,
    runDepth: (repository, pushed) => ledger.publications.depthOf(repository, pushed),
  })
  const routines = createRoutinesInForce({ ledger, routineOf: ground.routineOf, log })
  const following = createFollowing({ ledger, routines, wake, alertUrls: config.alerts.urls, log })
  building.defer(() => following.stop())
  const pullPlans = openPullPlans(ground, building, {
    sources: () => webhooks.desk.snapshot(),
    connectors: () => connectors.snapshot(),
  })
  const settler = createSettler({
    ledger,
    sourceOf: (name) => (name === 'github' ? fromGitHub : fromWebhooks),
    routines,
    wake,
    isPressed: () => receiver.isBusy(),
    async heard(event) {
      const { routinesIn, webhooksIn, connectorsIn } = config
      if (routinesIn && isPushTo(event, routinesIn)) void library.rescan()
      if (webhooksIn && isPushTo(event, webhooksIn)) void webhooks.sources.rescan()
      if (connectorsIn && isPushTo(event, connectorsIn)) void connectors.rescan()
      const pull = routinesIn && newHeadInto(event, routinesIn)
      if (pull !== undefined) await pullPlans?.heard({ pull, delivery: event.delivery })
    },
    reached,
    log,
  })
  building.defer(() => settler.stop())
  const settle = () => void settler.wake()
  const webhooks = await openWebhooks(ground, building, { isService, received: settle })
  const receiver: Receiver = createReceiver({
    ledger,
    ...(ground.isAlone ? writes.embedded : writes.postgres),
    received(sources) {
      reached('delivery_written')
      void settler.wake(sources)
    },
  })
  const forgetting = createForgetting({ ledger, keptMs: config.keepDeliveriesMs, log })
  const places = hookPlacesOf(ground, routines)
  const askAgain = places && createAskAgain({ ledger, places, log })
  return {
    receiver,
    settle,
    follow: () => void following.wake(),
    webhooks,
    // A ledger that is away then is there at the next tick.
    lookBack: () => void askAgain?.tick().catch(() => {}),
    ticks: [
      { every: '*/5 * * * * *', name: 'followers', act: () => following.wake() },
      { every: '*/5 * * * * *', name: 'deliveries', act: () => settler.wake() },
      { every: '19 * * * * *', name: 'old events', act: () => forgetting.tick() },
      // Looks at its own row each time: one process in ten minutes goes on to ask GitHub.
      ...(askAgain ? [{ every: '*/20 * * * * *', name: 'missed events', act: () => askAgain.tick() }] : []),
      ...(pullPlans ? [{ every: '*/5 * * * * *', name: 'plans', act: () => pullPlans.tick() }] : []),
      ...webhooks.ticks,
    ],
  }
}
