import type { Fault } from '../support/github/faults.ts'
import type { Sickness } from './weather.ts'

type Ill = Pick<Fault, 'answer' | 'connection'>
const ills: Record<Sickness, Ill> = {
  error: { answer: { status: 500, body: '' } },
  away: { answer: { status: 502, body: '<html>unicorn</html>' } },
  denied: { answer: { status: 403, body: { message: 'Resource not accessible by integration' } } },
  limited: {
    answer: {
      status: 403,
      headers: { 'retry-after': '1' },
      body: { message: 'You have exceeded a secondary rate limit' },
    },
  },
  silent: { connection: 'hang' },
  lost: { connection: 'lost' },
}

const sweep: Fault[] = [
  { method: 'GET', path: '/app/hook/deliveries' },
  { method: 'POST', path: '/app/hook/deliveries/.*/attempts$' },
]
const decision: Fault[] = [{ method: 'GET', path: '/collaborators/acme/permission' }]
const opening: Fault[] = [{ method: 'POST', path: '/pulls$' }]
const push: Fault[] = [{ method: 'POST', path: 'git-receive-pack$' }]

/** Where it would be an answer that ends a run, by right, it is left out; and git alone is waited for, a minute each time. */
const where: Record<Sickness, readonly Fault[]> = {
  error: [...sweep, ...decision, ...push, ...opening],
  away: [...sweep, ...decision, ...push, ...opening],
  denied: [...sweep],
  limited: [...sweep, ...decision, ...opening],
  silent: [...sweep, ...decision, ...opening],
  lost: [...sweep, ...decision, ...push, ...opening],
}

/** What goes wrong between the look for missed events and the pull request. */
export function sickRequests(how: Sickness): Fault[] {
  return where[how].map((request) => ({ ...request, ...ills[how] }))
}
