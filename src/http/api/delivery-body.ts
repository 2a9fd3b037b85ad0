import { redacted, redactedJson } from '../redacted.ts'

/** Enough for nearly every event; all of a larger one is in the ledger alone. */
export const shownBytes = 256 * 1024
/** Written out with two spaces a level, deeper ones would grow beyond measure. */
const deepest = 64

/** A body as people read it: JSON laid out, anything else as it is. Credentials are taken out. */
export type DeliveryBody = {
  bytes: number
  /** Not all of it is here. */
  cut: boolean
  text: string
  /** undefined: it is no JSON, is cut, or is nested too deep to be shown as such. */
  json: unknown
}

/** `beginning`: its first bytes, `shownBytes` at most. */
export function deliveryBody(beginning: Buffer, bytes: number): DeliveryBody {
  const cut = beginning.length < bytes
  const raw = beginning.toString('utf8')
  const laidOut = cut || depthOf(raw) > deepest ? undefined : layOut(raw)
  if (laidOut === undefined) return { bytes, cut, text: redacted(raw), json: undefined }
  const text = redacted(laidOut)
  return { bytes, cut, text, json: parsed(text) }
}

/** What was written as an escape is plain now, and can be told for what it is. */
function layOut(raw: string): string | undefined {
  const json = parsed(raw)
  return json === undefined ? undefined : JSON.stringify(redactedJson(json), null, 2)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function depthOf(text: string): number {
  let [depth, most] = [0, 0]
  for (const [sign] of text.replaceAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '').matchAll(/[[\]{}]/g)) {
    depth += sign === '[' || sign === '{' ? 1 : -1
    most = Math.max(most, depth)
  }
  return most
}
