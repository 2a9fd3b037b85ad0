import { availableParallelism } from 'node:os'
import { z } from 'zod'

const seconds = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback)
const megabytes = (fallback: number) => z.coerce.number().int().min(64).max(16_777_216).default(fallback)
const atMost = z.coerce.number().int().min(1).max(1000).optional()

const hookSecret = z.string().min(16, 'must have at least 16 characters: `openssl rand -hex 32` makes one').optional()

/** One, or several with spaces between while one is replaced: a short one among long ones is as weak as it is alone. */
const keys = z.string().refine(
  (written) =>
    written
      .trim()
      .split(/\s+/)
      .every((key) => key.length >= 32),
  {
    error: 'must have at least 32 characters in each key: `openssl rand -hex 32` makes one',
  },
)

/** Words with spaces between, or a list in JSON for words that have spaces. No shell reads it. */
const argv = z.string().transform((written, context) => {
  if (!written.trimStart().startsWith('[')) return written.split(/\s+/).filter((word) => word !== '')
  const parsed = z.array(z.string()).min(1).safeParse(parsedOrText(written))
  if (parsed.success) return parsed.data
  context.addIssue('must be words, or a list of texts in JSON')
  return z.NEVER
})

function parsedOrText(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    return written
  }
}

/** Every variable that is read, with its default and what it means. */
export const Environment = z.object({
  OVERNIGHT_DATA: z.string().min(1).default('.overnight').describe('Folder for the ledger, mirrors and transcripts.'),
  OVERNIGHT_ROUTINES: z
    .string()
    .min(1)
    .default('routines')
    .describe('Folder of routine files, or owner/name:folder@branch.'),
  OVERNIGHT_WEBHOOKS: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of webhook sources; default: webhooks/ beside the routines.'),
  OVERNIGHT_CONNECTORS: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of connectors; default: connectors/ beside the routines.'),
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
  OVERNIGHT_REPOSITORY_LIMIT: atMost.describe('Runs at work at the same time on one repository; default: no limit.'),
  OVERNIGHT_SENDER_LIMIT: atMost.describe(
    'Runs at work at the same time for one sender of events (a login); default: no limit.',
  ),
  OVERNIGHT_LEASE_SECONDS: seconds(30, 3600).describe('A worker that is silent this long has lost its run.'),
  OVERNIGHT_DRAIN_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe('How long runs may go on once the process is told to stop; default 60 for `worker`, 1 for `up`.'),
  OVERNIGHT_TRANSCRIPT_KB: z.coerce
    .number()
    .int()
    .min(64)
    .max(1_048_576)
    .default(8192)
    .describe('Cap of one transcript; the beginning and the end are kept.'),
  OVERNIGHT_KEEP_DELIVERIES_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .describe('What events said is removed so many days after they were settled; their rows and outcomes stay.'),
  OVERNIGHT_SANDBOX_IMAGE: z
    .string()
    .regex(/^[\w][\w.\-/:@]*$/, 'is no name of an image')
    .default('overnight-sandbox')
    .describe('What `sandbox: docker` starts; infra/sandbox/Dockerfile makes one. Nothing is pulled.'),
  OVERNIGHT_SANDBOX_MEMORY_MB: megabytes(4096).describe('Memory a command in a sandbox may take with all it starts.'),
  OVERNIGHT_SANDBOX_DISK_MB: megabytes(10_240).describe('Disk that the folders of a sandbox may take.'),
  OVERNIGHT_SANDBOX_CPUS: z.coerce
    .number()
    .min(0.1)
    .max(1024)
    .default(availableParallelism())
    .describe('Processors that a command in a sandbox may take; default: all.'),
  OVERNIGHT_SANDBOX_PROCESSES: z.coerce
    .number()
    .int()
    .min(16)
    .max(1_000_000)
    .default(4096)
    .describe('Processes and threads that a command in a sandbox may have at the same time.'),
  OVERNIGHT_SETUP_CACHE_MB: z.coerce
    .number()
    .int()
    .min(0)
    .max(16_777_216)
    .default(5120)
    .describe('Disk that kept results of setup steps may take; 0: none is kept.'),
  DOCKER_HOST: z.string().min(1).optional().describe('The Docker daemon; it must be of this machine: unix:///….'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('PostgreSQL for the ledger; without it the embedded store in the data folder.'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('Redis or Valkey for the queue; without it the queue is in the ledger. Needs DATABASE_URL.'),
  OVERNIGHT_GITHUB_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://github.com')
    .describe('GitHub, or the address of an Enterprise server.'),
  OVERNIGHT_GITHUB_TOKEN: z.string().min(1).optional().describe('A personal access token; an App is better.'),
  OVERNIGHT_GITHUB_APP_ID: z.string().regex(/^\w+$/).optional().describe('Id (or client id) of the GitHub App.'),
  OVERNIGHT_GITHUB_APP_KEY_FILE: z.string().min(1).optional().describe("File with the App's private key (PEM)."),
  OVERNIGHT_WEBHOOK_SECRET: z
    .string()
    .optional()
    .describe(
      'Signs what we send (whsec_…); two with a space between while receivers change over. Default: made once.',
    ),
  OVERNIGHT_ALLOW_HOSTS: z
    .string()
    .default('')
    .describe(
      'Hosts (`name` or `name:port`, with commas) that may be private, and may be asked without TLS; agents whose routine names one reach it over TLS.',
    ),
  OVERNIGHT_ALERT_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Is told, signed, when something that should have happened did not, and when it was made good.'),
  OVERNIGHT_ALERT_SECONDS: seconds(60, 3600).describe('A due slot that has no row for so long raises an alert.'),
  OVERNIGHT_ALERT_MINUTES: z.coerce
    .number()
    .positive()
    .max(1440)
    .default(10)
    .describe('A run that nobody starts for so long, and that says not why, raises an alert.'),
  OVERNIGHT_GITHUB_WEBHOOK_SECRET: hookSecret.describe('What GitHub signs its events with, as written there.'),
  OVERNIGHT_GITHUB_WEBHOOK_SECRET_OLD: hookSecret.describe('While it is being changed: the one before.'),
  ANTHROPIC_API_KEY: z.string().min(1).optional().describe('Key for the model of the engine claude.'),
  CLAUDE_CODE_OAUTH_TOKEN: z.string().min(1).optional().describe('Instead of a key: the token of a subscription.'),
  ANTHROPIC_BASE_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://api.anthropic.com')
    .describe('Where the model is.'),
  OVERNIGHT_SECRET_COMMAND: argv
    .optional()
    .describe('Program (without a shell) that prints the secret whose name is its last argument.'),
  OVERNIGHT_SECRETS_KEY: keys
    .optional()
    .describe(
      'Encrypts stored secrets; while it is being changed: the new one, a space, the old one. Default: made once.',
    ),
  OVERNIGHT_LOG: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info').describe('Log level.'),
})
export type Environment = z.output<typeof Environment>
