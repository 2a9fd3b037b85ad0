/** Where something is sent to. `isListed`: the operator named the host, so it may be private, and may go without TLS. */
export type Destination = { url: URL; isListed: boolean }
export type Refusal = { refused: string; hint: string }

/** Every public IPv6 address there is lies in 2000::/3 (IANA); the rest includes forms that mean an IPv4 address. */
export function isPublicV6(address: string): boolean {
  return Number.parseInt(address, 16) >> 13 === 1
}

/**
 * What is written of an address, before any name is resolved: https alone, no user and password, no IPv6 outside the public
 * range. Hosts that the operator lists (`name` = every port, `name:port` = this one) are exempt, and the only way to what is
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
  if (url.hostname.startsWith('[') && !isPublicV6(url.hostname.slice(1)))
    return { refused: `${url.hostname} is not a public address`, hint: `use a public one, ${list}` }
  return { url, isListed: false }
}

/** `name` = every port, `name:port` = this one. */
export function isListed({ protocol, hostname, port }: URL, allowedHosts: readonly string[]): boolean {
  const standard = protocol === 'https:' ? '443' : '80'
  return allowedHosts.includes(hostname) || allowedHosts.includes(`${hostname}:${port === '' ? standard : port}`)
}
