import type { Command } from 'commander'
import type { CreatedJson, TokenJson } from '../http/api/tokens.ts'
import { connect } from './client.ts'
import { visible } from './events.ts'
import type { Context } from './context.ts'
import { localTime, table } from './table.ts'

type CreateOptions = { routine: string[]; scope: string[]; expires: string; json?: true }

export function addToken(program: Command, context: Context): void {
  const token = program
    .command('token')
    .description('tokens of programs that fire routines or read what became of them')

  token
    .command('create')
    .argument('<name>', 'who uses it')
    .description('make a token; it is shown once')
    .option('--routine <name>', 'only for this routine (repeatable); without it for all', collect, [])
    .option('--scope <scopes>', 'fire, read, or fire,read', collect, [])
    .option('--expires <duration>', 'such as 90d, or never', '90d')
    .option('--json', 'print JSON')
    .action(async (name: string, { routine, scope, expires, json }: CreateOptions) => {
      await using client = await connect(context)
      const made = await client.post<CreatedJson>('/v1/tokens', {
        name,
        expires,
        ...(routine.length > 0 ? { routines: routine } : {}),
        ...(scope.length > 0 ? { scopes: scope } : {}),
      })
      if (json) return context.out(`${JSON.stringify(made)}\n`)
      context.out(`${made.token}\n`)
      context.err(`  ${made.id}, ${what(made)}; keep it now: it is not shown again\n`)
    })

  token
    .command('list')
    .description('list tokens, newest first')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      await using client = await connect(context)
      const { tokens } = await client.json<{ tokens: TokenJson[] }>('/v1/tokens')
      if (json) return context.out(`${JSON.stringify(tokens)}\n`)
      if (tokens.length === 0) return context.out('no tokens yet: overnight token create <name>\n')
      const rows = tokens.map((one) => [one.id, one.state, used(one), visible(one.name), what(one)])
      context.out(table([['id', 'state', 'last used', 'name', 'for'], ...rows]))
    })

  token
    .command('revoke')
    .argument('<token>', 'its id, or its name')
    .description('end a token now')
    .option('--json', 'print JSON')
    .action(async (words: string, { json }: { json?: true }) => {
      await using client = await connect(context)
      const revoked = await client.json<TokenJson>(`/v1/tokens/${encodeURIComponent(words)}`, { method: 'DELETE' })
      context.out(json ? `${JSON.stringify(revoked)}\n` : `revoked: ${revoked.id} ${visible(revoked.name)}\n`)
    })
}

const collect = (written: string, before: string[]): string[] => [
  ...before,
  ...written.split(',').map((one) => one.trim()),
]

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone
const used = ({ usedAt }: TokenJson) => (usedAt === null ? 'never' : localTime(usedAt, zone()))

function what({ scopes, routines, expiresAt }: TokenJson): string {
  const whose = routines === null ? 'every routine' : routines.join(', ')
  return `${scopes.join(' and ')}: ${whose}, ${expiresAt === null ? 'until revoked' : `until ${localTime(expiresAt, zone())}`}`
}
