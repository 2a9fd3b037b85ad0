import type { Ledger } from '../../../src/ledger/ledger.ts'
import { parseOrRefuse } from '../../../src/routines/reading/read.ts'
import { fire } from '../../../src/runs/fire.ts'
import { checkSchedule } from '../../../src/triggers/schedule/check-schedule.ts'
import { onEachLedger, type OnLedger } from '../ledgers.ts'
import { mediansOf, timed, type Bench } from '../row.ts'

const oneByOne = 200
const atOnce = 20
const rounds = 10

/**
 * What an accepted occasion costs: one transaction with its firing and its run, on disk when it is answered. Beside it the
 * floor of the same store in the same minute, one statement that writes one row.
 */
export async function accept({ place, tell }: Bench): Promise<void> {
  await onEachLedger(place, (on) => measure(on, tell))
}

async function measure({ name, store, ledger }: OnLedger, tell: Bench['tell']): Promise<void> {
  const write = () => timed(() => store.db.execute('update clock_offset set ahead = ahead'))
  const one = await mediansOf(oneByOne, { accept: (round) => timed(() => acceptAs(ledger, `one-${round}`)), write })
  tell({
    what: `an accepted occasion, ${name}`,
    unit: 'ms',
    figure: one.accept,
    beside: [{ what: 'one row written', figure: one.write }],
  })
  const all = (round: number) =>
    Array.from({ length: atOnce }, (_, index) => acceptAs(ledger, `many-${round}-${index}`))
  const many = await mediansOf(rounds, { accept: (round) => timed(() => Promise.all(all(round))) })
  tell({
    what: `accepted occasions, ${atOnce} at once, ${name}`,
    unit: '/s',
    figure: atOnce / (many.accept / 1000),
    beside: [],
  })
}

/** Each of another routine, as a morning's webhooks are. */
async function acceptAs(ledger: Ledger, name: string): Promise<void> {
  const source = `---\nrepository: ./shop\nengine: { name: command, command: ["true"] }\n---\n`
  const routine = parseOrRefuse(`/routines/${name}.md`, source, { defaultEngine: 'command', checkSchedule })
  await ledger.transaction((tx) => fire(tx, { routine, trigger: 'api', key: 'bench', inputs: {}, by: 'bench' }))
}
