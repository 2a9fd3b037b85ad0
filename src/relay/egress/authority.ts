import { hostName } from '../../host-name.ts'

/** The hosts of a run, in the form they are compared in. */
export type Hosts = 'open' | ReadonlySet<string>
export type Refused = { /** As it was asked for, for people to read. */ host: string; why: string }

const mostShown = 100

/** What a stranger wrote, for a line that people read: printable ASCII, and not too long. */
export function shown(written: string): string {
  const plain = written
    .slice(0, mostShown)
    .replaceAll(/[^\x21-\x7e]/g, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`)
  return written.length > mostShown ? `${plain}…` : plain
}

/**
 * Where a CONNECT wants to go (RFC 9110, 9.3.6), or why it does not go there. The name is compared exactly, and must come in the form
 * that it is compared in: whoever writes it otherwise wants it to be read in two ways.
 */
export function readAuthority(written: string, hosts: Hosts): { host: string } | Refused {
  const [, name = '', port = ''] = /^([^:@]*):([0-9]{1,5})$/.exec(written) ?? []
  if (name === '') return { host: shown(written), why: 'is no host with a port' }
  const host = hostName(name)
  if (host === undefined || host !== name.toLowerCase())
    return { host: shown(written), why: 'is not the name of a host' }
  if (port !== '443') return { host: shown(written), why: 'is not at port 443, the only one that is let through' }
  if (hosts === 'open' || hosts.has(host)) return { host }
  return {
    host,
    why: hosts.size === 0 ? 'is outside, and this run has no network' : 'is not in the network of this routine',
  }
}
