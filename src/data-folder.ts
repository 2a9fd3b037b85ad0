import { join } from 'node:path'

/** What lies where in the data folder. */
export const pathsIn = (data: string) => ({
  data,
  lock: join(data, 'lock.db'),
  address: join(data, 'service.json'),
  token: join(data, 'token'),
  webhookSecret: join(data, 'webhook-secret'),
  /** A file a secret, for those that no variable says. */
  secrets: join(data, 'secrets'),
  secretsKey: join(data, 'secrets-key'),
  ledger: join(data, 'ledger'),
  readings: join(data, 'readings.json'),
  mirrors: join(data, 'mirrors'),
  /** One folder a run: `<run>/`; removed when the run has ended. */
  work: join(data, 'work'),
  /** What containers of sandboxes are shown of ours. */
  docker: join(data, 'docker'),
  /** Results of setup steps; whatever is in there can be made again. */
  setups: join(data, 'cache', 'setup'),
  transcripts: join(data, 'transcripts'),
  /** Tokens of a forge, each for as long as git needs it. */
  credentials: join(data, 'credentials'),
})
