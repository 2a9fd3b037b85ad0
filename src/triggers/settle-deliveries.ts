import { setImmediate as macrotask, setTimeout as delay } from 'node:timers/promises'
import { logged, messageOf, OvernightError, reasons } from '../errors.ts'
import type { Settlement, Whose } from '../ledger/deliveries.ts'
import type { Ledger, Statements } from '../ledger/ledger.ts'
import type { Delivery } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import { readInputs } from '../routines/inputs.ts'
import { createInTurn } from '../routines/library/in-turn.ts'
import type { Routine } from '../routines/routine.ts'
import { fire } from '../runs/fire.ts'
import type { DeliveryStep } from './delivery-steps.ts'
import { judge, type Judged, type Judgement } from './judge.ts'
import { kept, mayTryAgain, settlementOf, type Ending } from './settlement.ts'
import type { OutsideEvent, Source } from './source.ts'

export type SettleTools = {
  ledger: Ledger
  /** By the source's name; undefined: nobody reads such deliveries (any more). */
  sourceOf(name: string): Source | undefined
  /** The routines in force, as the ledger has them now. */
  routines(): Promise<readonly Routine[]>
  /** There may be something to hand out. */
  wake(): void
  /** Others are being received: they go first. */
  isPressed(): boolean
  /** What a delivery says, whatever routines make of it; told before it is settled, and again when that failed. */
  heard?(event: OutsideEvent): Promise<void> | void
  reached?(step: DeliveryStep): void
  log: Log
}
export type Settler = {
  /** Looks for owed deliveries now, of these sources or of all; many calls while it looks are one more look. Never rejects. */
  wake(sources?: readonly string[]): Promise<void>
  /** Begins nothing more; resolves when what has begun is over. */
  stop(): Promise<void>
}

/** So many are judged at the same time, which mostly means waiting for a forge; then they are settled in their order. */
const batch = 20
/** What GitHub is asked about waits for GitHub; nothing else does. */
const kinds: readonly Whose[] = [{ of: 'github' }, { besides: 'github' }]

/**
 * What becomes of received events: the source reads and judges them, then firings and outcome are written in one transaction a
 * delivery. Every server process may do so at once. One that cannot be settled now is tried again later and holds up no other.
 */
export function createSettler(tools: SettleTools): Settler {
  const { ledger, log } = tools
  const state = { stopped: false }

  async function look(whose: Whose): Promise<void> {
    for (;;) {
      const owed = state.stopped ? [] : await ledger.deliveries.claim(batch, whose)
      if (owed.length === 0) return
      const begun = performance.now()
      await settleBatch(owed)
      // The same processor acknowledges, and those who wait for that wait first.
      if (tools.isPressed()) await delay(4 * (performance.now() - begun))
    }
  }

  const lanes = kinds.map((whose) => ({
    whose,
    looking: createInTurn(() =>
      look(whose).catch((error: unknown) =>
        log.error({ error: messageOf(error) }, 'owed deliveries could not be looked for'),
      ),
    ),
  }))

  async function settleBatch(owed: readonly Delivery[]): Promise<void> {
    tools.reached?.('delivery_claimed')
    const routines = await tools.routines()
    const judging: Promise<PromiseSettledResult<Judgement>[]>[] = []
    for (const delivery of owed) {
      // Reading a large one takes its time, and others wait for this thread, too.
      await macrotask()
      judging.push(Promise.allSettled([judge(delivery, tools.sourceOf(delivery.source), routines)]))
    }
    const judgements = (await Promise.all(judging)).flat()
    tools.reached?.('delivery_judged')
    const quiet: { delivery: Delivery; settlement: Settlement }[] = []
    /** What fires nothing is settled together. */
    async function begin(delivery: Delivery, judgement: Judgement): Promise<void> {
      if ('event' in judgement) await tools.heard?.(judgement.event)
      if (isFiring(judgement)) await settle(delivery, judgement)
      else quiet.push({ delivery, settlement: settled(judgement, []) })
    }
    for (const [index, delivery] of owed.entries()) {
      const judged = judgements[index]!
      if (judged.status === 'rejected') await setAside(delivery, judged.reason)
      else await begin(delivery, judged.value).catch((error: unknown) => setAside(delivery, error))
    }
    await ledger.deliveries
      .settleAll(quiet.map(({ delivery, settlement }) => ({ id: delivery.id, ...settlement })))
      .catch(async (error: unknown) => {
        for (const { delivery } of quiet) await setAside(delivery, error)
      })
  }

  async function settle(delivery: Delivery, judgement: Exclude<Judgement, { refused: string }>): Promise<void> {
    await ledger.transaction(async (tx) => {
      if (!(await tx.deliveries.lockOwed(delivery.id))) return
      const endings = await fireAll(tx, delivery, judgement)
      await tx.deliveries.settle(delivery.id, settled(judgement, endings))
      tools.reached?.('delivery_fired')
    })
    tools.reached?.('delivery_settled')
    tools.wake()
  }

  /** Nobody waits for it and nothing is lost: what stays owed says why. */
  async function setAside(delivery: Delivery, error: unknown): Promise<void> {
    const mayHeal = error instanceof OvernightError && error.retryable
    log[mayHeal ? 'warn' : 'error']({ delivery: delivery.id, ...logged(error) }, 'a delivery could not be settled')
    if (mayTryAgain(delivery.tries, mayHeal)) return ledger.deliveries.postpone(delivery.id, messageOf(error))
    const refused = `it could not be settled in ${delivery.tries + 1} tries: ${messageOf(error)}`
    await ledger.deliveries.settle(delivery.id, settled({ refused }, []))
  }

  return {
    async wake(sources) {
      if (state.stopped) return
      const meant = lanes.filter(({ whose }) => sources?.some((source) => isOf(whose, source)) ?? true)
      await Promise.all(meant.map(({ looking }) => looking.run()))
    },
    async stop() {
      state.stopped = true
      await Promise.all(lanes.map(({ looking }) => looking.idle()))
    },
  }
}

const isOf = ({ of, besides }: Whose, source: string): boolean =>
  of === undefined ? source !== besides : source === of

const isFiring = (judgement: Judgement): judgement is Exclude<Judgement, { refused: string }> =>
  'judged' in judgement && judgement.judged.some(({ verdict }) => verdict.act === 'fire')

function settled(judgement: Judgement, endings: readonly Ending[]): Settlement {
  if ('refused' in judgement) {
    const unread = { action: null, repository: null, sender: null, subject: null }
    return { ...unread, outcome: 'refused', reason: kept(judgement.refused) }
  }
  const { action, repository, sender, subject } = judgement.event
  const refused = judgement.judged.flatMap(({ routine, verdict }): Ending[] =>
    verdict.act === 'refuse' ? [{ routine: routine.name, outcome: 'refused', reason: verdict.reason }] : [],
  )
  return {
    action: action && kept(action),
    repository: repository && kept(repository),
    sender: sender && kept(sender),
    subject: subject && kept(subject),
    ...settlementOf([...endings, ...refused], judgement.why),
  }
}

async function fireAll(
  tx: Statements,
  delivery: Delivery,
  judgement: Exclude<Judgement, { refused: string }>,
): Promise<Ending[]> {
  const endings: Ending[] = []
  for (const one of judgement.judged) endings.push(...(await fireOne(tx, { ...judgement, ...one, delivery })))
  return endings
}

type Wish = Judged & Pick<Exclude<Judgement, { refused: string }>, 'trigger' | 'event'> & { delivery: Delivery }

async function fireOne(tx: Statements, { routine, verdict, trigger, event, delivery }: Wish): Promise<Ending[]> {
  if (verdict.act !== 'fire') return []
  const { inputs: brought, act: _, ...more } = verdict
  const read = readInputs(routine.inputs, brought)
  if (!('inputs' in read)) {
    const reason = `${reasons.bad_inputs}: ${read.problems.join('; ')}`
    return [{ routine: routine.name, outcome: 'skipped', reason }]
  }
  const { firing } = await fire(tx, {
    routine,
    trigger,
    key: `delivery:${delivery.id}`,
    inputs: read.inputs,
    by: event.sender ?? event.source,
    delivery: delivery.id,
    event: { ...event.payload, ...verdict.payload },
    ...(event.sender === null ? {} : { sender: event.sender }),
    ...more,
  })
  const outcome = firing.outcome === 'accepted' ? 'fired' : firing.outcome
  return [{ routine: routine.name, outcome, reason: firing.reason }]
}
