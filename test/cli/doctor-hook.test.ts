import { expect, test } from 'vitest'
import { lookAtHook } from '../../src/cli/doctor-hook.ts'
import type { HookJson } from '../../src/http/api/git-hub-hook.ts'

const hook: HookJson = { secret: true, changing: false, routines: 1, last: null, refused: null, missed: [] }
const lookedAt = '2026-11-21T17:00:00.000Z'
const place = { name: 'acme/shop', lookedAt, webhooks: 1, asked: 2, error: null, hint: null }
const denied = {
  ...place,
  asked: 0,
  webhooks: 0,
  error: 'the token may not\u001b[2J see them',
  hint: 'give it the right',
}

test.each<[string, Partial<HookJson>, boolean, string, string?]>([
  [
    'no secret and no need',
    { secret: false, routines: 0 },
    false,
    'none is accepted: OVERNIGHT_GITHUB_WEBHOOK_SECRET is not set',
  ],
  [
    'no secret where routines ask for events',
    { secret: false },
    false,
    'none is accepted: OVERNIGHT_GITHUB_WEBHOOK_SECRET is not set, and 1 routines ask for some',
    'set it where the service starts, write the same in the webhook settings at GitHub, and start it again',
  ],
  ['nothing came yet', {}, true, 'none came yet; missed ones were not looked for yet'],
  [
    'while the secret is changed',
    { changing: true, last: { event: 'ping', at: lookedAt }, missed: [place, { ...place, name: 'acme/other' }] },
    true,
    `the last one (ping) came ${lookedAt}; the old secret is accepted, too; 4 missed were asked for again by the look at ${lookedAt}`,
  ],
  [
    'a repository whose webhook writes elsewhere',
    { missed: [{ ...place, webhooks: 0, asked: 0 }] },
    true,
    `none came yet; 0 missed were asked for again by the look at ${lookedAt}; no webhook of acme/shop writes here`,
  ],
  [
    'two that may not be asked',
    { missed: [denied, denied, place] },
    false,
    `none came yet; 2 missed were asked for again by the look at ${lookedAt}; missed ones could not be asked for at acme/shop and 1 more: the token may not␛[2J see them`,
    'give it the right',
  ],
  [
    'GitHub is away',
    { missed: [{ ...denied, error: 'away', hint: null }] },
    false,
    `none came yet; 0 missed were asked for again by the look at ${lookedAt}; missed ones could not be asked for at acme/shop: away`,
    'the next look tries again',
  ],
])('%s', (_, found, ok, says, hint) => {
  expect(lookAtHook({ ...hook, ...found })).toEqual({
    what: 'events of GitHub',
    ok,
    says,
    ...(hint === undefined ? {} : { hint }),
  })
})
