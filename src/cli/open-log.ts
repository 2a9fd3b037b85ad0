import { createLog } from '../log.ts'
import { createRedaction } from '../secrets/redaction.ts'

/** A log, and what is left out of it: the service that is opened with both learns what that is. */
export function openLog(level: string) {
  const redaction = createRedaction()
  return { log: createLog(level, redaction.text), redaction }
}
