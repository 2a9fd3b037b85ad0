import { expect, test } from 'vitest'
import { createGitHubSource } from '../../src/triggers/github/source.ts'
import { webhooks } from '../../src/triggers/webhook/webhooks.ts'
import type { Routine } from '../../src/routines/routine.ts'
import { readGood, routineText } from '../routines/reading/reading.ts'
import { eventOf, exampleOf } from '../support/github/events.ts'

const routine = (name: string, on: object, repository = 'acme/shop'): Routine => ({
  ...readGood(routineText(`on: ${JSON.stringify(on)}`)),
  name,
  repository,
})
const never = () => Promise.reject(new Error('asked'))
const gitHub = createGitHubSource({
  github: {
    isSignedIn: true,
    self: never,
    permissionOf: never,
    changedFiles: never,
    isFromFork: never,
    nameAt: (written) => written,
    nameOf: never,
  },
  runDepth: never,
})
const opened = eventOf('issues', { ...exampleOf('issues', 'opened'), repository: { full_name: 'acme/shop' } })
const onGitHub = (name: string, github: unknown, repository?: string) => routine(name, { github }, repository)
const unfit = { event: 'issues', if: { action: { eq: 'closed' } } }

test.each([
  [
    'nobody is near',
    [onGitHub('a', unfit, 'acme/other')],
    'no routine with on.github names acme/shop as its repository',
  ],
  ['a condition', [onGitHub('a', unfit), onGitHub('b', { event: 'push' })], 'no condition of a fits'],
  [
    'an event and its actions',
    [onGitHub('a', { event: 'issues', actions: ['closed', 'edited'] })],
    'a wants issues closed or edited',
  ],
  [
    'each kind of trigger',
    [onGitHub('a', [{ event: 'push' }, { command: 'fix' }]), onGitHub('b', { label: 'go' })],
    'a wants push or @overnight fix and b wants the label go',
  ],
  ['many', ['a', 'b', 'c', 'd', 'e'].map((name) => onGitHub(name, unfit)), 'no condition of a, b, c and 2 more fits'],
])('an event of GitHub, and %s', (_, routines, why) => {
  expect(gitHub.whyNobody?.(opened, routines)).toBe(why)
})

const deployed = {
  delivery: 'd1',
  source: 'ci',
  event: 'started',
  payload: { stage: 'test' },
  action: null,
  repository: null,
  sender: 'ci',
  subject: null,
}
const onWebhook = (name: string, webhook: unknown) => routine(name, { webhook })

test.each([
  ['nobody is near', [onWebhook('a', { source: 'sentry' })], 'no routine with on.webhook names the source ci'],
  [
    'another kind',
    [onWebhook('on-deploy', { source: 'ci', events: ['done', 'failed'] })],
    'on-deploy wants events: done, failed',
  ],
  [
    'a condition',
    [onWebhook('on-deploy', { source: 'ci', if: { stage: { eq: 'live' } } })],
    'no condition of on-deploy fits',
  ],
  [
    'a condition beside another kind',
    [
      onWebhook('a', { source: 'ci', events: ['done'] }),
      onWebhook('b', [
        { source: 'ci', events: ['done'] },
        { source: 'ci', events: ['started'], if: { x: { eq: 1 } } },
      ]),
    ],
    'no condition of b fits',
  ],
])('an event of a webhook, and %s', (_, routines, why) => {
  expect(webhooks.whyNobody?.(deployed, routines)).toBe(why)
})
