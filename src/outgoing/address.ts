import { isIPv4 } from 'node:net'

/** Where something is sent to. `isListed`: the operator named the host, so it may be private, and may go without TLS. */
export type Destination = { url: URL; isListed: boolean }
export type Refusal = { refused: string; hint: string }

/** Every public IPv6 address there is lies in 2000::/3 (IANA); the rest includes forms that mean an IPv4 address. */
export function isPublicV6(address: string): boolean {
  return Number.parseInt(address, 16) >> 13 === 1
}

/** What is no one's or not everybody's (IANA, IPv4 special-purpose addresses), and multicast with all that follows it. */
const specialV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
].map((range) => {
  const [first = '', bits] = range.split('/')
  return { first: numberOf(first), size: 2 ** (32 - Number(bits)) }
})

/** As the URL parser writes it: four decimal numbers. */
function isPublicV4(address: string): boolean {
  const number = numberOf(address)
  return !specialV4.some(({ first, size }) => number >= first && number < first + size)
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function isPrivate(hostname: string): boolean {
  if (hostname.startsWith('[')) return !isPublicV6(hostname.slice(1))
  // RFC 6761, 6.3: whoever resolves it, it is this machine.
  return isIPv4(hostname) ? !isPublicV4(hostname) : /(^|\.)localhost$/.test(hostname)
}

/**
 * What is written of an address, before any name is resolved: https alone, no user and password, nothing that says itself that
 * it is private. Hosts that the operator lists (`name` = every port, `name:port` = this one) are exempt, and the only way to what is
 * private. The URL parser has made decimal, octal and short IPv4 forms plain, so `0x7f.1` is 127.0.0.1 here.
 */
export function readDestination(written: string, allowedHosts: readonly string[]): Destination | Refusal {
  if (!URL.canParse(written)) return { refused: 'this is no URL', hint: 'write https://host/path' }
  const url = new URL(written)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return { refused: `an address with ${url.protocol} is not asked`, hint: 'write https://' }
  if (url.username !== '' || url.password !== '')
    return { refused: 'there is a user or a password in the address', hint: 'send it in a header' }
  if (isListed(url, allowedHosts)) return { url, isListed: true }
  const list = `or list ${url.host} in OVERNIGHT_ALLOW_HOSTS`
  if (url.protocol === 'http:')
    return { refused: `${url.host} would be asked in the open`, hint: `write https://, ${list}` }
  if (url.hostname.endsWith('.')) return { refused: `the host ${url.hostname} ends in a dot`, hint: 'write it without' }
  if (isPrivate(url.hostname))
    return { refused: `${url.hostname} is not a public address`, hint: `use a public one, ${list}` }
  return { url, isListed: false }
}

/** `name` = every port, `name:port` = this one. */
export function isListed({ protocol, hostname, port }: URL, allowedHosts: readonly string[]): boolean {
  const standard = protocol === 'https:' ? '443' : '80'
  return allowedHosts.includes(hostname) || allowedHosts.includes(`${hostname}:${port === '' ? standard : port}`)
}
