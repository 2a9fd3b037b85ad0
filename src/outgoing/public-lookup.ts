import { isIPv6, type LookupFunction } from 'node:net'
import { AddressRefused } from '../errors.ts'
import { isPublicV6 } from './address.ts'

/** The agent that filters knows IPv4 and what is named in IPv6; this adds the IPv6 that is nobody's. `refused` makes its error. */
export function publicOnly(lookup: LookupFunction, refused: (host: string) => AddressRefused): LookupFunction {
  return (host, options, done) =>
    lookup(host, options, (error, address, family) => {
      const found = typeof address === 'string' ? [{ address, family }] : address
      const isOdd = !error && found.some((one) => isIPv6(one.address) && !isPublicV6(one.address))
      if (isOdd) done(refused(host), address, family)
      else done(error, address, family)
    })
}

/** The errors of the agent that filters have no code and no class of their own. */
export function isFiltered(error: unknown): boolean {
  return error instanceof Error && !('code' in error) && / is not allowed\. Because/.test(error.message)
}
