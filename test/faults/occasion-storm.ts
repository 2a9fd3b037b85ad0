import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../support/crew.ts'
import { openFleet, type Fleet } from '../support/fleet.ts'
import { createRepository } from '../support/git-repository.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { differences } from './compare.ts'
import { openLedgerNow, type LedgerNow } from './recorded.ts'
import { createSender, type Sender } from './sender.ts'
import { strike } from './strike.ts'
import type { OccasionFault } from './weather.ts'

/** No fault of these lasts so long; what is not as it should be by then stays so. */
const patienceMs = 120_000
const secret = 'what GitHub signs with'
/** The agent keeps a journal, and leaves something only where it is to be published. */
const notes = 'echo "$OVERNIGHT_RUN" >>"$1"'
const leaves = `${notes}; echo "written by $OVERNIGHT_RUN" >note.md; echo 'Wrote the note of this event'`

/** Two servers, a worker, and everybody around them. The routine `rung` is due every minute. */
export type Scene = {
  fleet: Fleet
  servers: [ServiceProcess, ServiceProcess]
  ledger: LedgerNow
  sender: Sender
  receiver: Receiver
  secret: string
  /** Of this trial, and no other. */
  name: string
}
export type OccasionStorm = AsyncDisposable & {
  /** Every promise that was broken, as sentences. */
  trial(fault: OccasionFault): Promise<string[]>
}

/** Events, calls and slots reach two servers while something happens to them; every journal is compared with the ledger after each. */
export async function openOccasionStorm(): Promise<OccasionStorm> {
  await using building = new AsyncDisposableStack()
  const receiver = building.use(await openReceiver())
  const env = {
    OVERNIGHT_GITHUB_WEBHOOK_SECRET: secret,
    OVERNIGHT_ALERT_URL: receiver.url('/alerts'),
    OVERNIGHT_ALLOW_HOSTS: receiver.host,
    OVERNIGHT_CONCURRENCY: '3',
    OVERNIGHT_LEASE_SECONDS: '10',
    OVERNIGHT_LOG: 'warn',
  }
  const fleet = building.use(await openFleet({ repositories: ['acme/heard', 'acme/told'], env }))
  const journal = join(fleet.data, 'agents.journal')
  furnish(fleet, journal)
  const servers: Scene['servers'] = [fleet.server, await fleet.another()]
  await fleet.worker()
  const ledger = building.use(await openLedgerNow(fleet.env['DATABASE_URL']!))
  const sender = createSender(secret)
  await until(20, async () => [await ledger.read('rung').then(({ since }) => since)].filter((since) => since === null))
  const stack = building.move()
  const told = new Set<string>()
  let trials = 0

  /** All of the storm so far. */
  async function compare(): Promise<string[]> {
    const events = new Map(sender.journal.events)
    for (const line of fleet.github.lines()) {
      if (line.kind === 'hook')
        events.set(line.guid, (events.get(line.guid) ?? 0) + (line.status >= 200 && line.status < 300 ? 1 : 0))
    }
    const agents = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').filter(Boolean) : []
    return differences({ events, calls: sender.journal.calls, agents }, await ledger.read('rung'))
  }
  /** Runs end and slots are settled in their time; what is wrong for good is still wrong then. */
  async function settled(): Promise<string[]> {
    for (const end = performance.now() + patienceMs; ; await delay(250)) {
      const found = await compare().catch((error: Error) => [`the ledger cannot be read: ${error.message}`])
      if (found.length === 0 || performance.now() > end) return found
    }
  }
  return {
    async trial(fault) {
      trials += 1
      const scene: Scene = { fleet, servers, ledger, sender, receiver, secret, name: `trial-${trials}` }
      const before = fleet.github.lines().length
      const broken = [...(await strike(scene, fault)), ...(await settled())]
      for (const line of fleet.github.lines().slice(before))
        if (line.kind === 'violation') broken.push(`asked GitHub what it does not know: ${line.path}`)
      // What is wrong for good is said once.
      const fresh = broken.filter((sentence) => !told.has(sentence))
      for (const sentence of fresh) told.add(sentence)
      return fresh
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function furnish(fleet: Fleet, journal: string): void {
  const shop = join(fleet.data, 'shop')
  createRepository(shop)
  const does = (sh: string, on?: unknown) => ({
    more: { engine: { name: 'command', command: ['sh', '-c', sh, 'agent', journal] }, overlap: { parallel: 100 }, on },
  })
  const everyMinute = { schedule: { cron: '* * * * *', timezone: 'UTC' } }
  fleet.routine('rung', { repository: shop, ...does(notes, everyMinute) })
  fleet.routine('called', { repository: shop, ...does(notes, { api: true }) })
  const starred = { github: { event: 'star', allow: { users: ['acme'] } } }
  fleet.routine('heard', { repository: 'acme/heard', ...does(notes, starred) })
  fleet.routine('told', {
    repository: 'acme/told',
    ...does(leaves, { github: { event: 'issues', actions: ['opened'] } }),
  })
}
