import { createLog } from '../log.ts'
import { leastBytes } from '../secrets/forms.ts'
import { createRedaction } from '../secrets/redaction.ts'

/** A log, and what is left out of it: the service that is opened with both learns what that is. */
export function openLog(level: string) {
  const redaction = createRedaction((name) =>
    log.warn(
      { secret: name },
      `a secret of fewer than ${leastBytes} bytes is neither replaced in texts nor looked for in changes: set a longer one`,
    ),
  )
  const log = createLog(level, redaction.text)
  return { log, redaction }
}
