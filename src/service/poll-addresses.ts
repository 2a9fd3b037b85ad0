import type { Config } from '../config.ts'
import { readDestination } from '../outgoing/address.ts'
import type { CheckUrl } from '../routines/definitions/sent-headers.ts'

/** Which addresses would be asked with this configuration, as far as an address says it itself. */
export function createCheckUrl({ allowedHosts }: Pick<Config, 'allowedHosts'>): CheckUrl {
  return (url) => {
    const read = readDestination(url, allowedHosts)
    return 'refused' in read ? { message: read.refused, hint: read.hint } : undefined
  }
}
