import { Resolver } from 'node:dns/promises'
import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { callbackify } from 'node:util'

export type NamesOptions = {
  /** `address:port`; default: those of this machine. */
  servers?: readonly string[]
  timeoutMs?: number
}

/**
 * Asks name servers itself. The system's own function has two threads for a whole process, so a run that asks for names which nobody
 * answers would hold up all others. The price: /etc/hosts is not read.
 */
export function createAskNames({ servers, timeoutMs = 3000 }: NamesOptions = {}): LookupFunction {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 })
  if (servers) resolver.setServers(servers)

  async function addressesOf(host: string): Promise<LookupAddress[]> {
    const asked = [resolver.resolve4(host), resolver.resolve6(host)]
    const [v4, v6] = await Promise.allSettled(asked)
    const found = (answer: typeof v4, family: 4 | 6) =>
      answer?.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : []
    const all = [...found(v4, 4), ...found(v6, 6)]
    if (all.length === 0 && v4?.status === 'rejected') throw v4.reason
    return all
  }

  const ask = callbackify(addressesOf)
  return (host, options, done) =>
    ask(host, (error, all) => {
      if (error) return done(error, '', 0)
      const [first] = all
      if (first === undefined) done(Object.assign(new Error('no address'), { code: 'ENODATA' }), '', 0)
      else if (options.all) done(null, all)
      else done(null, first.address, first.family)
    })
}
