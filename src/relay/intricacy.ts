/** A conversation has some ten thousand parts, however long it is. Parsed, each takes a hundred times its bytes, and all of them seconds. */
const mostParts = 500_000
const deepest = 1000

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [opensList, closesList, opensObject, closesObject] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Is this JSON that only costs: millions of parts, or one inside the other? Told from its bytes, before anything is made of them. */
export function isTooIntricate(json: Uint8Array): boolean {
  let parts = 0
  let depth = 0
  let inString = false
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at]
    if (byte === quote) inString = !inString
    else if (inString) at += byte === backslash ? 1 : 0
    else if (byte === comma) parts += 1
    else if (byte === closesList || byte === closesObject) depth -= 1
    else if (byte === opensList || byte === opensObject) {
      parts += 1
      depth += 1
    }
    if (parts > mostParts || depth > deepest) return true
  }
  return false
}
