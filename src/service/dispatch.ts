import { createDispatcher, type Dispatcher } from '../runs/dispatch.ts'
import type { Ground } from './ground.ts'
import { aliveMs, openHands, type Hands, type HandsOptions } from './hands.ts'

export type Dispatching = Omit<HandsOptions, 'wake'> & {
  /** A command works on its own runs and leaves the others to the service. */
  only?: () => readonly string[]
}
/** What a command works on is its own, whatever others have at work. */
const ownSlots = 1000
/** An owner asks once a second, and a line that is dead takes 5 s to say so. */
const ownersFirstMs = 10_000

/** Every process hands out what is owed, so that none of them is missed when it dies; they take turns in the ledger. */
export async function openDispatch(
  ground: Ground,
  building: AsyncDisposableStack,
  options: Dispatching,
): Promise<{ dispatcher: Dispatcher; hands: Hands }> {
  const { config, ledger, store, log } = ground
  const hands: Hands = await openHands(ground, building, { ...options, wake: () => void dispatcher.wake() })
  const dispatcher = createDispatcher({
    ledger,
    enqueue: (run, attempt) => hands.queue.enqueue(run, attempt),
    mayEnqueue: () => hands.queue.health() === 'ok',
    mayTakeOver: () => store.reachedForMs() >= ownersFirstMs,
    slots: (tx) => (options.take === 'own' ? Promise.resolve(ownSlots) : tx.workers.totalSlots(aliveMs)),
    limits: config.limits,
    unclaimedMs: config.leaseMs,
    ...(options.only ? { only: options.only } : {}),
    atWork: hands.atWork,
    log,
  })
  // Before the queue closes: a run that is given back then is handed out by the next start.
  building.defer(() => dispatcher.stop())
  return { dispatcher, hands }
}
