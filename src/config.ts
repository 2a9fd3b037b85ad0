import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { SetupError } from './errors.ts'

const seconds = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback)

const Environment = z.object({
  OVERNIGHT_DATA: z.string().min(1).default('.overnight').describe('Folder for the ledger, mirrors and transcripts.'),
  OVERNIGHT_ROUTINES: z.string().min(1).default('routines').describe('Folder of routine files.'),
  OVERNIGHT_HOST: z.string().min(1).default('127.0.0.1').describe('Address the service listens on.'),
  OVERNIGHT_PORT: z.coerce.number().int().min(0).max(65_535).default(4747).describe('Port; 0 takes a free one.'),
  OVERNIGHT_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address people use, when something stands in front.'),
  OVERNIGHT_ENGINE: z.string().min(1).default('claude').describe('Engine of routines that name none.'),
  OVERNIGHT_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(Math.max(2, availableParallelism()))
    .describe('Runs at work at the same time.'),
  OVERNIGHT_LEASE_SECONDS: seconds(30, 3600).describe('A worker that is silent this long has lost its run.'),
  OVERNIGHT_TRANSCRIPT_KB: z.coerce
    .number()
    .int()
    .min(64)
    .max(1_048_576)
    .default(8192)
    .describe('Cap of one transcript; the beginning and the end are kept.'),
  OVERNIGHT_LOG: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info').describe('Log level.'),
})

export type Config = ReturnType<typeof readConfig>
export type DataPaths = Config['paths']

/** The only reader of the environment. Relative folders are relative to `cwd`. Throws SetupError naming every bad variable. */
export function readConfig(env: Record<string, string | undefined>, cwd: string) {
  const parsed = Environment.safeParse(env)
  if (!parsed.success) {
    throw new SetupError(
      `configuration: ${z.prettifyError(parsed.error)}`,
      'correct the environment variable and start again',
    )
  }
  const value = parsed.data
  const data = resolve(cwd, value.OVERNIGHT_DATA)
  return Object.freeze({
    routinesDir: resolve(cwd, value.OVERNIGHT_ROUTINES),
    host: value.OVERNIGHT_HOST,
    port: value.OVERNIGHT_PORT,
    publicUrl: value.OVERNIGHT_URL,
    engine: value.OVERNIGHT_ENGINE,
    concurrency: value.OVERNIGHT_CONCURRENCY,
    leaseMs: value.OVERNIGHT_LEASE_SECONDS * 1000,
    transcriptBytes: value.OVERNIGHT_TRANSCRIPT_KB * 1024,
    logLevel: value.OVERNIGHT_LOG,
    /** The operator's own PATH and HOME: handed to git on the operator's repository and to nothing an agent can see. */
    operator: { path: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', home: env['HOME'] ?? '/nonexistent' },
    paths: {
      data,
      lock: join(data, 'lock.db'),
      address: join(data, 'service.json'),
      token: join(data, 'token'),
      ledger: join(data, 'ledger'),
      mirrors: join(data, 'mirrors'),
      /** One folder a run: `<run>/`; removed when the run has ended. */
      work: join(data, 'work'),
      transcripts: join(data, 'transcripts'),
    },
  })
}
