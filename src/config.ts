import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { pathsIn } from './data-folder.ts'
import { Environment } from './environment.ts'
import { SetupError } from './errors.ts'
import { besideIn, parseRepositoryFolder } from './repository-folder.ts'

export type Config = ReturnType<typeof readConfig>

/** The only reader of the environment. Relative folders are relative to `cwd`. Throws SetupError naming every bad variable. */
export function readConfig(env: Record<string, string | undefined>, cwd: string) {
  // Compose files and unit files hand on unset variables as empty ones.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) {
    throw new SetupError(
      `configuration: ${z.prettifyError(parsed.error)}`,
      'correct the environment variable and start again',
    )
  }
  const value = parsed.data
  if (value.REDIS_URL !== undefined && value.DATABASE_URL === undefined) {
    throw new SetupError(
      'configuration: REDIS_URL is set and DATABASE_URL is not',
      'set DATABASE_URL to a PostgreSQL, or remove REDIS_URL',
    )
  }
  const data = resolve(cwd, value.OVERNIGHT_DATA)
  return Object.freeze({
    ...placesOf(value, { cwd, data }),
    /** What `secret:NAME` stands for, by name, where a variable says it. */
    secrets: secretsIn(given),
    secretCommand: value.OVERNIGHT_SECRET_COMMAND,
    /** undefined = the one in the data folder. */
    secretsKey: value.OVERNIGHT_SECRETS_KEY,
    host: value.OVERNIGHT_HOST,
    port: value.OVERNIGHT_PORT,
    publicUrl: value.OVERNIGHT_URL,
    engine: value.OVERNIGHT_ENGINE,
    concurrency: value.OVERNIGHT_CONCURRENCY,
    limits: { repository: value.OVERNIGHT_REPOSITORY_LIMIT ?? null, sender: value.OVERNIGHT_SENDER_LIMIT ?? null },
    sandbox: {
      docker: { address: value.DOCKER_HOST ?? 'unix:///var/run/docker.sock', image: value.OVERNIGHT_SANDBOX_IMAGE },
      /** Of routines that say nothing of their own. */
      limits: {
        memoryBytes: value.OVERNIGHT_SANDBOX_MEMORY_MB * 1024 ** 2,
        diskBytes: value.OVERNIGHT_SANDBOX_DISK_MB * 1024 ** 2,
        cpus: value.OVERNIGHT_SANDBOX_CPUS,
        processes: value.OVERNIGHT_SANDBOX_PROCESSES,
      },
    },
    leaseMs: value.OVERNIGHT_LEASE_SECONDS * 1000,
    /** undefined = the command's own default. */
    drainMs: value.OVERNIGHT_DRAIN_SECONDS === undefined ? undefined : value.OVERNIGHT_DRAIN_SECONDS * 1000,
    /** Of all results of setup steps together; 0 = none is kept. */
    setupCacheBytes: value.OVERNIGHT_SETUP_CACHE_MB * 1024 ** 2,
    transcriptBytes: value.OVERNIGHT_TRANSCRIPT_KB * 1024,
    keepDeliveriesMs: value.OVERNIGHT_KEEP_DELIVERIES_DAYS * 86_400_000,
    logLevel: value.OVERNIGHT_LOG,
    databaseUrl: value.DATABASE_URL,
    redisUrl: value.REDIS_URL,
    github: githubOf(value, cwd, proxyIn(env)),
    gitHubSecrets: {
      current: value.OVERNIGHT_GITHUB_WEBHOOK_SECRET,
      old: value.OVERNIGHT_GITHUB_WEBHOOK_SECRET_OLD,
    },
    /** undefined = the one in the data folder. */
    webhookSecret: value.OVERNIGHT_WEBHOOK_SECRET,
    /** Hosts outside that may be asked though they are private; everybody else must be public and speak TLS. */
    allowedHosts: hostsIn('OVERNIGHT_ALLOW_HOSTS', value.OVERNIGHT_ALLOW_HOSTS),
    alerts: {
      urls: value.OVERNIGHT_ALERT_URL === undefined ? [] : [value.OVERNIGHT_ALERT_URL],
      slotMs: value.OVERNIGHT_ALERT_SECONDS * 1000,
      startMs: value.OVERNIGHT_ALERT_MINUTES * 60_000,
    },
    /** Credentials of the model; they stay in this process and its relay. */
    model: {
      baseUrl: addressIn('ANTHROPIC_BASE_URL', value.ANTHROPIC_BASE_URL).href.replace(/\/+$/, ''),
      apiKey: value.ANTHROPIC_API_KEY,
      oauthToken: value.CLAUDE_CODE_OAUTH_TOKEN,
    },
    /** The operator's own PATH and HOME: handed to git on the operator's repository and to nothing an agent can see. */
    operator: { path: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', home: env['HOME'] ?? '/nonexistent' },
    paths: pathsIn(data),
  })
}

/** Where routines, webhook sources and connectors are. What exists is a folder, whatever else its name could mean. */
function placesOf(value: z.output<typeof Environment>, { cwd, data }: { cwd: string; data: string }) {
  const { OVERNIGHT_ROUTINES: routines, OVERNIGHT_WEBHOOKS: webhooks, OVERNIGHT_CONNECTORS: connectors } = value
  const folder = resolve(cwd, routines)
  const routinesIn = existsSync(folder) ? undefined : parseRepositoryFolder('OVERNIGHT_ROUTINES', routines)
  const routinesDir = routinesIn === undefined ? folder : join(data, 'routines')
  return {
    /** undefined = the folder `routinesDir`. */
    routinesIn,
    routinesDir,
    /** undefined = the folder `webhooksDir`. */
    webhooksIn: webhooks === undefined && routinesIn !== undefined ? besideIn(routinesIn, 'webhooks') : undefined,
    webhooksDir: webhooks === undefined ? join(routinesDir, '..', 'webhooks') : resolve(cwd, webhooks),
    /** undefined = the folder `connectorsDir`. */
    connectorsIn: connectors === undefined && routinesIn !== undefined ? besideIn(routinesIn, 'connectors') : undefined,
    connectorsDir: connectors === undefined ? join(routinesDir, '..', 'connectors') : resolve(cwd, connectors),
  }
}

export type GitHubConfig = {
  /** Of the pages and of git, without a slash at the end. */
  url: string
  /** What git goes through; Node's own requests read the same variables. */
  proxy: { url: string; except: string } | undefined
  /** undefined: nobody is signed in; public repositories can be read and nothing can be published. */
  auth: { kind: 'token'; token: string } | { kind: 'app'; appId: string; keyFile: string } | undefined
}

function githubOf(value: Environment, cwd: string, proxy: GitHubConfig['proxy']): GitHubConfig {
  const {
    OVERNIGHT_GITHUB_TOKEN: token,
    OVERNIGHT_GITHUB_APP_ID: appId,
    OVERNIGHT_GITHUB_APP_KEY_FILE: keyFile,
  } = value
  if ((appId === undefined) !== (keyFile === undefined)) {
    throw new SetupError(
      'configuration: a GitHub App needs both OVERNIGHT_GITHUB_APP_ID and OVERNIGHT_GITHUB_APP_KEY_FILE',
      'set the other one, too',
    )
  }
  const { origin: url, pathname } = addressIn('OVERNIGHT_GITHUB_URL', value.OVERNIGHT_GITHUB_URL)
  if (pathname.replaceAll('/', '') !== '') {
    throw new SetupError(
      `configuration: OVERNIGHT_GITHUB_URL names ${pathname} on the server`,
      `write the address alone: ${url}`,
    )
  }
  if (appId !== undefined && keyFile !== undefined)
    return { url, proxy, auth: { kind: 'app', appId, keyFile: resolve(cwd, keyFile) } }
  return { url, proxy, auth: token === undefined ? undefined : { kind: 'token', token } }
}

/** Their names are the operator's own: `OVERNIGHT_SECRET_<NAME>`. */
function secretsIn(env: Record<string, string | undefined>): Readonly<Record<string, string>> {
  const prefix = 'OVERNIGHT_SECRET_'
  const named = Object.entries(env).filter(([name]) => name.startsWith(prefix) && name !== `${prefix}COMMAND`)
  return Object.fromEntries(named.map(([name, value]) => [name.slice(prefix.length), value ?? '']))
}

/** An address that credentials are sent to. */
function addressIn(variable: string, written: string): URL {
  const address = new URL(written)
  const { protocol, hostname, username, password, search, hash } = address
  if (username !== '' || password !== '' || search !== '' || hash !== '') {
    throw new SetupError(
      `configuration: ${variable} holds more than an address (a user, a password, a query or a fragment)`,
      'write scheme, host and path alone; credentials have variables of their own',
    )
  }
  const isHere = hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
  if (protocol === 'http:' && !isHere) {
    throw new SetupError(
      `configuration: ${variable} ${written} would send credentials in the open`,
      'write https://, or the address of a proxy on this machine that speaks TLS to it',
    )
  }
  return address
}

/** In the form that a URL has them in: lower case, Unicode names in Punycode. */
function hostsIn(variable: string, written: string): string[] {
  const entries = written.split(',').map((entry) => entry.trim())
  return entries
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [, name = '', port = ''] = /^(\[[^\]]+\]|[^\s/@?#\\*:]+)(:\d{1,5})?$/.exec(entry) ?? []
      const host = URL.parse(`https://${name}`)?.hostname
      if (host !== undefined && host !== '') return host + port
      throw new SetupError(
        `configuration: ${variable} names ${JSON.stringify(entry)}, which is no host`,
        'write names, or name:port, with commas between: jira.internal,10.0.0.5:8080',
      )
    })
}

/** The same condition as Node's, so that its requests and git go the same way. */
function proxyIn(env: Record<string, string | undefined>): GitHubConfig['proxy'] {
  const url = env['https_proxy'] || env['HTTPS_PROXY']
  if (env['NODE_USE_ENV_PROXY'] !== '1' || url === undefined || url === '') return undefined
  return { url, except: env['no_proxy'] || env['NO_PROXY'] || '' }
}
