/** Who asks for a secret: some are for one routine or one repository. null = nobody in particular, a webhook source for example. */
export type Asker = { routine: string | null; repository: string | null }
export const nobody: Asker = { routine: null, repository: null }

/**
 * What `secret:NAME` stands for; `missing` says why it is not there, and what to do. `hosts`: the only ones it may be sent to, as `host` or
 * `host:port`; without them the operator lists those.
 */
export type Secret = Found | { missing: string }
export type Found = { value: string; hosts?: readonly string[] }

/** Where secrets come from. Looked at each time, so that one that is replaced counts at once. Names are letters, digits and _. Never rejects. */
export type SecretSource = {
  /** undefined: it knows nothing of this name, and the next source is asked. */
  find(name: string, asker: Asker): Promise<Secret | undefined>
}

/** Where the operator lists hosts for secrets of their own. undefined: it says nothing of this name. Never rejects. */
export type HostList = { hostsOf(name: string): Promise<string[] | undefined> }

export const mostBytes = 64 * 1024

export function readHosts(written: string): string[] {
  return written
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((host) => host !== '')
}
