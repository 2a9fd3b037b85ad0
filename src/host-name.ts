import { domainToASCII } from 'node:url'

/** What no name holds, and parsers of addresses read as the beginning of something else. */
const strange = /[\p{C}\s%/\\@:?#[\]<>^|*]/u
const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
/** Two labels at least, and a last one that is no number: what ends in a number (127.1, 0x7f.1, 1.0x7f) means an IPv4 address (URL standard, "ends in a number"). */
const name = new RegExp(`^(?:${label}\\.)+(?![0-9]+$|0x[0-9a-f]*$)${label}$`)

/**
 * A host of the internet by its name, as it is compared: in small letters, after IDNA. undefined for everything else: addresses in
 * any form, a dot at the end, names of one label, characters that no name has.
 */
export function hostName(written: string): string | undefined {
  if (written.length > 253 || strange.test(written)) return undefined
  const ascii = domainToASCII(written).toLowerCase()
  return ascii.length <= 253 && name.test(ascii) ? ascii : undefined
}
