import { formsOf } from './forms.ts'

export type KnownSecret = { name: string; value: string }
/** Bytes `start` up to `end` hold a form of a value, or several that overlap; `name` is that of the first. */
export type Place = { start: number; end: number; name: string }
type Found = {
  places: Place[]
  /** From here on a form may have begun whose end is not there yet; the length when none has. */
  openFrom: number
}
export type Finder = (bytes: Uint8Array) => Found

type Form = { bytes: Buffer; name: string }

/** A form is looked for by its first bytes, and then compared. */
const windowBytes = 8
const filterBits = 16

/**
 * Finds every form of the values in one pass over the bytes, with an entry of a table asked for each byte. Line ends do not count: what was
 * wrapped is found, too. The price: forms that begin alike are compared one by one where that beginning stands.
 */
export function createFinder(known: readonly KnownSecret[]): Finder {
  const forms = known.flatMap(({ name, value }) => formsOf(value).map((bytes): Form => ({ bytes, name })))
  const filter = new Uint8Array(1 << filterBits)
  const byBeginning = new Map<number, Form[]>()
  const beginnings = new Set<string>()
  for (const form of forms) {
    const [high, low] = [form.bytes.readInt32BE(0), form.bytes.readInt32BE(4)]
    const slot = slotOf(high, low)
    filter[slot] = 1
    const alike = byBeginning.get(slot)
    if (alike) alike.push(form)
    else byBeginning.set(slot, [form])
    for (let length = 1; length < windowBytes; length += 1) beginnings.add(form.bytes.toString('latin1', 0, length))
  }

  return (bytes) => {
    const found: Found = { places: [], openFrom: bytes.length }
    let [high, low] = [0, 0]
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at]!
      if (byte === 10 || byte === 13) continue
      high = (high << 8) | (low >>> 24)
      low = (low << 8) | byte
      if (filter[slotOf(high, low)] === 1) compare(bytes, at, found)
    }
    found.openFrom = Math.min(found.openFrom, openTail(bytes))
    return found
  }

  function compare(bytes: Uint8Array, last: number, found: Found): void {
    const start = back(bytes, last, windowBytes - 1)
    if (start === undefined) return
    for (const form of byBeginning.get(slotOf(...wordsAt(bytes, start))) ?? []) {
      const end = endOf(bytes, start, form.bytes)
      if (end === 'open') found.openFrom = Math.min(found.openFrom, start)
      else if (end !== undefined) addPlace(found.places, { start, end, name: form.name })
    }
  }

  /**
   * Where the last few bytes, too few to be looked for by the table, could begin a form. Not at the end of a line: every other line would
   * wait for the next one, so a value that is cut there within its first characters is not found.
   */
  function openTail(bytes: Uint8Array): number {
    if (bytes.at(-1) === 10) return bytes.length
    const positions: number[] = []
    for (let at = bytes.length - 1; at >= 0 && positions.length < windowBytes - 1; at -= 1) {
      if (bytes[at] !== 10 && bytes[at] !== 13) positions.unshift(at)
    }
    const tail = String.fromCharCode(...positions.map((at) => bytes[at]!))
    const first = positions.findIndex((_at, index) => beginnings.has(tail.slice(index)))
    return positions[first] ?? bytes.length
  }
}

function slotOf(high: number, low: number): number {
  return (Math.imul(high, 0x9e3779b1) ^ Math.imul(low, 0x85ebca6b)) >>> (32 - filterBits)
}

/** The position so many bytes before, line ends not counted. */
function back(bytes: Uint8Array, from: number, count: number): number | undefined {
  let [at, left] = [from, count]
  while (left > 0 && at > 0) {
    at -= 1
    if (bytes[at] !== 10 && bytes[at] !== 13) left -= 1
  }
  return left === 0 ? at : undefined
}

function wordsAt(bytes: Uint8Array, start: number): [number, number] {
  let [high, low] = [0, 0]
  for (let [at, left] = [start, windowBytes]; left > 0; at += 1) {
    const byte = bytes[at]!
    if (byte === 10 || byte === 13) continue
    high = (high << 8) | (low >>> 24)
    low = (low << 8) | byte
    left -= 1
  }
  return [high, low]
}

/** Where the form that begins at `start` ends; undefined: it does not stand there; `open`: the bytes end within it. */
function endOf(bytes: Uint8Array, start: number, form: Buffer): number | 'open' | undefined {
  let at = start
  for (let index = 0; index < form.length; at += 1) {
    if (at === bytes.length) return 'open'
    const byte = bytes[at]!
    if (byte === form[index]) index += 1
    else if (byte !== 10 && byte !== 13) return undefined
  }
  return at
}

/** Places come in the order of their beginnings. */
function addPlace(places: Place[], place: Place): void {
  const before = places.at(-1)
  if (before && place.start < before.end) before.end = Math.max(before.end, place.end)
  else places.push(place)
}
