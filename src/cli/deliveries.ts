import type { Command } from 'commander'
import type { DeliveryJson, DeliveryWholeJson, SlotJson } from '../http/api/occasion-json.ts'
import type { ReplayedJson } from '../http/api/occasions.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { localTime, table } from './table.ts'

type Filter = { routine?: string; outcome?: string; source?: string; event?: string; limit: string }

export function addDeliveries(program: Command, context: Context): void {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

  program
    .command('deliveries')
    .description('list received events and what became of each, newest first')
    .option('--source <name>', 'only from there: github, or a file in webhooks/')
    .option('--event <name>', 'only of this kind')
    .option('--routine <name>', 'only those this routine answered')
    .option('--outcome <outcome>', 'fired, coalesced, skipped, unmatched, refused or owed')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'print JSON')
    .action(async ({ json, ...filter }: Filter & { json?: true }) => {
      await using client = await connect(context)
      const { deliveries } = await client.json<{ deliveries: DeliveryJson[] }>(`/v1/deliveries?${query(filter)}`)
      if (json) return context.out(`${JSON.stringify(deliveries)}\n`)
      if (deliveries.length === 0) return context.out('no deliveries\n')
      const rows = deliveries.map((one) => [
        one.delivery,
        localTime(one.receivedAt, zone),
        visible(one.source),
        visible(eventOf(one)),
        one.outcome,
        visible(whyOf(one)),
      ])
      context.out(table([['delivery', 'received', 'source', 'event', 'outcome', 'why'], ...rows]))
    })

  program
    .command('delivery')
    .argument('<delivery>', 'id, or the beginning of one')
    .description('show one received event, with headers and body')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { json?: true }) => {
      await using client = await connect(context)
      const one = await client.json<DeliveryWholeJson>(`/v1/deliveries/${encodeURIComponent(id)}`)
      if (options.json) return context.out(`${JSON.stringify(one)}\n`)
      const page = client.live && new URL(one.links.page, client.live).href
      context.out(table(factsOf(one, page).map(([name, value]) => [name, visible(value)])))
      context.out(`\n${visible(one.removed ?? one.text ?? JSON.stringify(one.body, null, 2))}\n`)
      if (one.cut) context.out(`… ${one.bytes} bytes in all\n`)
    })

  program
    .command('replay')
    .argument('<delivery>', 'id, or the beginning of one')
    .description('settle the same event again, as an occasion of its own')
    .option('--key <key>', 'the same key is the same replay, however often it is asked for')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { key?: string; json?: true }) => {
      await using client = await connect(context)
      const headers = options.key === undefined ? {} : { 'idempotency-key': options.key }
      const again = await client.post<ReplayedJson>(`/v1/deliveries/${encodeURIComponent(id)}/replay`, {}, headers)
      if (options.json) return context.out(`${JSON.stringify(again)}\n`)
      context.out(`${again.delivery} ${again.fresh ? 'is the same event again' : 'was asked for before'}\n`)
    })

  program
    .command('slots')
    .description('list due instants of schedules and what became of each, newest first')
    .option('--routine <name>', 'only of this routine')
    .option('--outcome <outcome>', 'fired, coalesced, skipped, missed or owed')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'print JSON')
    .action(async ({ json, ...filter }: Filter & { json?: true }) => {
      await using client = await connect(context)
      const { slots } = await client.json<{ slots: SlotJson[] }>(`/v1/slots?${query(filter)}`)
      if (json) return context.out(`${JSON.stringify(slots)}\n`)
      if (slots.length === 0) return context.out('no slots\n')
      const rows = slots.map((slot) => [
        localTime(slot.at, zone),
        visible(slot.routine),
        slot.late ? `${slot.outcome}, late` : slot.outcome,
        slot.run ?? visible(slot.reason ?? ''),
      ])
      context.out(table([['slot', 'routine', 'outcome', 'run, or why none'], ...rows]))
    })
}

function query(filter: Filter): string {
  return new URLSearchParams(Object.entries(filter)).toString()
}

const eventOf = ({ event, action }: DeliveryJson) => (action === null ? event : `${event} ${action}`)

function whyOf({ reason, firings }: DeliveryJson): string {
  const runs = firings.flatMap(({ routine, run }) => (run === null ? [] : [`${routine}: ${run}`]))
  return runs.length > 0 ? runs.join('; ') : (reason ?? '')
}

function factsOf(one: DeliveryWholeJson, page: string | undefined): [name: string, value: string][] {
  const facts: [string, string | null | undefined][] = [
    ['delivery', one.delivery],
    ['source', one.source],
    ['event', eventOf(one)],
    ['about', [one.repository, one.subject].filter(Boolean).join(' ')],
    ['sender', one.sender],
    ['key', one.key],
    ['received', one.receivedAt],
    ['outcome', one.reason === null ? one.outcome : `${one.outcome}: ${one.reason}`],
    ['replay of', one.replayOf],
    ['error', one.error],
    ['next try', one.error === null ? null : one.nextTryAt],
    ...one.firings.map(({ routine, outcome, run }): [string, string] => [
      'firing',
      [routine, outcome, run].filter(Boolean).join(' '),
    ]),
    ...Object.entries(one.headers).map(([name, value]): [string, string] => ['header', `${name}: ${value}`]),
    ['page', page],
  ]
  return facts.flatMap(([name, value]) => (value ? [[name, value] as [string, string]] : []))
}
