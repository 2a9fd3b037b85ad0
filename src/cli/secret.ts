import type { Command } from 'commander'
import { BadRequest } from '../errors.ts'
import type { SecretJson } from '../http/api/secrets.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { repositoryName } from './repository-name.ts'
import { localTime, table } from './table.ts'

type Scope = { routine?: string; repository?: string }

export function addSecret(program: Command, context: Context): void {
  const secret = program.command('secret').description('what secret:NAME stands for, kept encrypted')

  secret
    .command('set')
    .argument('<name>', 'letters, digits and _')
    .description('store a secret, or replace it; its value is read from the standard input')
    .option('--routine <name>', 'only for this routine')
    .option('--repository <where>', 'only for this repository (a path, or owner/name on GitHub)')
    .option('--hosts <hosts>', 'it may be sent to these (`name` or `name:port`, with commas between)')
    .option('--json', 'print JSON')
    .action(async (name: string, { hosts, json, ...scope }: Scope & { hosts?: string; json?: true }) => {
      const value = (await context.input()).replace(/\r?\n$/, '')
      if (value === '') {
        const hint = `hand it in: overnight secret set ${name} < file`
        throw new BadRequest('there is no value on the standard input', hint)
      }
      await using client = await connect(context)
      const made = await client.json<SecretJson>(pathOf(name), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ...(await named(context, scope)),
          value,
          hosts: (hosts ?? '').split(/[\s,]+/).filter(Boolean),
        }),
      })
      context.out(json ? `${JSON.stringify(made)}\n` : `${storedAs(made)}\n`)
    })

  secret
    .command('list')
    .description('list stored secrets; never their values')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      await using client = await connect(context)
      const { secrets } = await client.json<{ secrets: SecretJson[] }>('/v1/secrets')
      if (json) return context.out(`${JSON.stringify(secrets)}\n`)
      if (secrets.length === 0) return context.out('no secrets are stored: overnight secret set <name>\n')
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const rows = secrets.map((one) => [one.name, scopeOf(one), one.hosts.join(' ') || '-', localTime(one.at, zone)])
      context.out(table([['name', 'for', 'sent to', 'set'], ...rows]))
    })

  secret
    .command('remove')
    .argument('<name>', 'its name')
    .description('remove a stored secret')
    .option('--routine <name>', 'the one for this routine')
    .option('--repository <where>', 'the one for this repository')
    .option('--json', 'print JSON')
    .action(async (name: string, { json, ...scope }: Scope & { json?: true }) => {
      await using client = await connect(context)
      const query = new URLSearchParams(await named(context, scope))
      const removed = await client.json(`${pathOf(name)}?${query.toString()}`, { method: 'DELETE' })
      context.out(json ? `${JSON.stringify(removed)}\n` : `removed: ${visible(name)}\n`)
    })
}

const pathOf = (name: string) => `/v1/secrets/${encodeURIComponent(name)}`

/** As runs know the repository, whatever folder this is. */
async function named({ cwd }: Context, { repository, ...scope }: Scope): Promise<Scope> {
  return repository === undefined ? scope : { ...scope, repository: await repositoryName(cwd, repository) }
}

/** Hosts are for what is sent: what signs deliveries, or is looked for in changes alone, needs none. */
function storedAs(made: SecretJson): string {
  const hosts = made.hosts.length === 0 ? '; it is sent to no host yet: --hosts api.example.com' : ''
  return `stored: ${made.name}, ${scopeOf(made)}${hosts}`
}

function scopeOf({ routine, repository }: SecretJson): string {
  const parts = [
    routine === null ? 'every routine' : visible(routine),
    repository === null ? '' : `in ${visible(repository)}`,
  ]
  return parts.filter(Boolean).join(' ')
}
