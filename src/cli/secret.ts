import type { Command } from 'commander'
import { BadRequest } from '../errors.ts'
import type { SecretJson } from '../http/secrets-api.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'
import { localTime, table } from './table.ts'

type Scope = { routine?: string; repository?: string }

export function addSecret(program: Command, context: Context): void {
  const secret = program.command('secret').description('what secret:NAME stands for, kept encrypted')

  secret
    .command('set')
    .argument('<name>', 'letters, digits and _')
    .description('store a secret, or replace it; its value is read from the standard input')
    .option('--routine <name>', 'only for this routine')
    .option('--repository <name>', 'only for this repository')
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
        body: JSON.stringify({ ...scope, value, hosts: (hosts ?? '').split(/[\s,]+/).filter(Boolean) }),
      })
      context.out(json ? `${JSON.stringify(made)}\n` : `stored: ${made.name}, ${scopeOf(made)}\n`)
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
    .option('--repository <name>', 'the one for this repository')
    .option('--json', 'print JSON')
    .action(async (name: string, { json, ...scope }: Scope & { json?: true }) => {
      await using client = await connect(context)
      const query = new URLSearchParams(scope)
      const removed = await client.json(`${pathOf(name)}?${query.toString()}`, { method: 'DELETE' })
      context.out(json ? `${JSON.stringify(removed)}\n` : `removed: ${visible(name)}\n`)
    })
}

const pathOf = (name: string) => `/v1/secrets/${encodeURIComponent(name)}`

function scopeOf({ routine, repository }: SecretJson): string {
  const parts = [
    routine === null ? 'every routine' : visible(routine),
    repository === null ? '' : `in ${visible(repository)}`,
  ]
  return parts.filter(Boolean).join(' ')
}
