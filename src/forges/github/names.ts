/** The name of a repository on the forge at `host`, however a person wrote it; undefined when it is somewhere else. */
export function nameAt(host: string, written: string): string | undefined {
  const short = /^([A-Za-z0-9][A-Za-z0-9-]*)\/([A-Za-z0-9_.-]+)$/.exec(written)
  if (short) return nameOf(short[1]!, short[2]!)
  const scp = /^[^/\s]+@([^/\s:]+):\/?([^/\s]+)\/([^/\s]+?)\/?$/.exec(written)
  if (scp) return sameHost(scp[1]!, host) ? nameOf(scp[2]!, scp[3]!) : undefined
  if (!isUrl(written) || !URL.canParse(written)) return undefined
  const { protocol, host: given, hostname, pathname } = new URL(written)
  const isHere = protocol === 'ssh:' ? sameHost(hostname, host) : given.toLowerCase() === host.toLowerCase()
  const [owner, name, ...rest] = pathname.split('/').filter((part) => part !== '')
  return isHere && owner !== undefined && name !== undefined && rest.length === 0 ? nameOf(owner, name) : undefined
}

/** An address with a scheme, or the short form of ssh. */
export function isUrl(written: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(written) || /^[^/\s]+@[^/\s:]+:/.test(written)
}

/** A person may have pasted an address with a password in it. */
export function withoutCredentials(written: string): string {
  return written.replace(/\/\/[^/@]*@/, '//')
}

function nameOf(owner: string, name: string): string | undefined {
  const short = name.replace(/\.git$/, '')
  const fits = /^[A-Za-z0-9][A-Za-z0-9-]*$/.test(owner) && /^[A-Za-z0-9_.-]+$/.test(short) && !/^\.*$/.test(short)
  return fits ? `${owner}/${short}` : undefined
}

/** ssh has a port of its own. */
function sameHost(hostname: string, host: string): boolean {
  return hostname.toLowerCase() === host.toLowerCase().replace(/:\d+$/, '')
}
