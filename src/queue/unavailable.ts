import { OvernightError } from '../errors.ts'

/** The queue's server is away or refuses; the ledger owes the run still, and it is handed out later. */
export class QueueUnavailable extends OvernightError {
  constructor(server: string, why: string) {
    super(`the queue at ${server} takes no jobs now: ${why}`, {
      code: 'queue_unavailable',
      status: 503,
      retryable: true,
      hint: 'nothing is lost: see to that server, or correct REDIS_URL; `overnight doctor` looks at it',
    })
  }
}
