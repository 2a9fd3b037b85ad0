import type { NewDelivery } from '../../ledger/deliveries.ts'
import type { Poll, WebhookSource } from '../../routines/webhooks/source.ts'
import { clean } from '../webhook/accept.ts'
import { firstText, textAt, valueAt } from '../webhook/places.ts'
import { isMap, parseJson, textOf } from '../webhook/read-event.ts'

/** `note`: what was passed over, for people. */
export type Items = { rows: NewDelivery[]; note: string | null } | { unreadable: string }

/** A source that is asked. */
export type Asked = WebhookSource & { poll: Poll }

/** What lists more than this tells no news. */
const most = 5000

/**
 * The items of an answer as deliveries, each once: the same id twice is the first one. An item without an id (text or a number)
 * cannot be told from others and is passed over; when none has one the whole answer is not what was meant.
 */
export function readItems(body: Buffer, source: Asked): Items {
  const { items: where, id: idPath } = source.poll
  const found = findList(body, where)
  if ('unreadable' in found) return found
  const { list } = found
  const rows = new Map<string, NewDelivery>()
  let nameless = 0
  for (const item of list) {
    const id = textAt(item, idPath)
    if (id === undefined || !isMap(item)) nameless += 1
    else if (!rows.has(clean(id))) rows.set(clean(id), rowOf(source, clean(id), item))
  }
  const without = `${nameless} of ${list.length} items have no text or number at ${JSON.stringify(idPath.join('.'))}`
  if (nameless > 0 && rows.size === 0) return { unreadable: without }
  return { rows: [...rows.values()], note: nameless === 0 ? null : `${without}; they were passed over` }
}

function findList(body: Buffer, where: readonly string[]): { list: unknown[] } | { unreadable: string } {
  const text = textOf(body)
  const parsed = text === undefined ? { unreadable: 'it is no UTF-8 text' } : parseJson(text)
  if ('unreadable' in parsed) return { unreadable: `the answer cannot be read: ${parsed.unreadable}` }
  const list = valueAt(parsed.value, where)
  if (!Array.isArray(list)) {
    const place = where.length === 0 ? 'the answer' : `at ${JSON.stringify(where.join('.'))} of the answer`
    return { unreadable: `there is no list: ${place} is ${kindOf(list)}` }
  }
  return list.length <= most
    ? { list }
    : { unreadable: `there are more than ${most} items: ask for the newest ones alone` }
}

function rowOf(source: WebhookSource, key: string, item: Record<string, unknown>): NewDelivery {
  const event = clean(firstText(source.event, { header: () => undefined, event: item }) ?? 'item')
  return { source: source.name, key, event, headers: {}, body: Buffer.from(JSON.stringify(item)) }
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`
}
