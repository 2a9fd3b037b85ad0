import type { ApiToken } from '../../ledger/schema.ts'

export const scopes = ['fire', 'read'] as const
export type Scope = (typeof scopes)[number]

/** What a token may ask for; everything that is not named here is for people. Paths as OpenAPI writes them, below `/v1`. */
const rights: readonly { method: string; path: string; scope: Scope }[] = [
  { method: 'POST', path: '/routines/{name}/fire', scope: 'fire' },
  { method: 'POST', path: '/claude_code/routines/{id}/fire', scope: 'fire' },
  { method: 'GET', path: '/routines', scope: 'read' },
  { method: 'GET', path: '/runs', scope: 'read' },
  { method: 'GET', path: '/runs/{id}', scope: 'read' },
  { method: 'GET', path: '/runs/{id}/events', scope: 'read' },
  { method: 'GET', path: '/runs/{id}/diff', scope: 'read' },
]

/** The scope that this request takes, of a path below `/v1`; undefined = no token opens it. */
export function scopeOf(method: string, path: string): Scope | undefined {
  const segments = path.split('/')
  const fits = (written: string) => {
    const pattern = written.split('/')
    return (
      pattern.length === segments.length &&
      pattern.every((part, index) => (part.startsWith('{') ? segments[index] !== '' : part === segments[index]))
    )
  }
  return rights.find((right) => right.method === method && fits(right.path))?.scope
}

/** Whether who holds this token may hear of the routine; people (no token) may hear of all. */
export function maySee(token: Pick<ApiToken, 'routines'> | undefined, routine: string): boolean {
  return token?.routines?.includes(routine) ?? true
}
