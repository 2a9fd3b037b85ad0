import { sign } from '@octokit/webhooks-methods'
import { expect, test } from 'vitest'
import { conditionOf, type WrittenCondition } from '../../../src/routines/keys/condition.ts'
import type { Routine } from '../../../src/routines/routine.ts'
import { acceptFromGitHub } from '../../../src/triggers/github/accept.ts'
import { readGitHub } from '../../../src/triggers/github/read.ts'
import { createGitHubSource, type Asking } from '../../../src/triggers/github/source.ts'
import { examples, type Payload } from '../../support/github/events.ts'
import { readGood, routineText } from '../../routines/reading/reading.ts'

const secret = 'a secret of good length'
const everybody: Asking = {
  isSignedIn: true,
  self: () => Promise.resolve({ login: 'overnight[bot]', isApp: true }),
  permissionOf: () => Promise.resolve('write'),
  changedFiles: () => Promise.resolve([]),
  isFromFork: () => Promise.resolve(false),
  nameAt: (written) => written,
  nameOf: (written) => Promise.resolve(written),
}
const source = createGitHubSource({ github: everybody, runDepth: () => Promise.resolve(undefined) })

const plain = readGood(routineText())
type Wanted = { event: string; actions?: string[]; if: WrittenCondition; allow: { forks: boolean; bots: string[] } }
function routine(repository: string, { event, actions, if: condition, allow }: Wanted): Routine {
  const rules = { allow: { users: [], ...allow }, if: conditionOf(condition) }
  return { ...plain, repository, github: [{ kind: 'event', event, actions: actions ?? null, ...rules }] }
}

/** The first plain value in a payload that a path can lead to. */
function leafOf(value: unknown, path: string[] = []): { path: string; value: string | number | boolean } | undefined {
  if (['string', 'number', 'boolean'].includes(typeof value) && path.length > 0)
    return { path: path.join('.'), value: value as string }
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value).toReversed()) {
    const found = key.includes('.') || key === '' ? undefined : leafOf(inner, [...path, key])
    if (found) return found
  }
  return undefined
}

test('there are as many as GitHub has events', () => {
  expect(examples.length).toBe(329)
  expect(new Set(examples.map(({ name }) => name)).size).toBe(58)
})

test.each(examples)(
  '$name $index is verified and read; the routine for it matches, others do not',
  async ({ name, payload }) => {
    // Some are about no repository, and then about no routine: those are also looked at as if they were about one.
    const named = { ...payload, repository: payload['repository'] ?? { id: 1, full_name: 'Codertocat/Hello-World' } }
    const decide = async (body: Payload, on: Wanted, where?: string) => {
      const text = JSON.stringify(body)
      const headers = {
        'content-type': 'application/json',
        'x-github-event': name,
        'x-github-delivery': '6d5a7b1c-0000-4000-8000-000000000001',
        'x-hub-signature-256': await sign(secret, text),
      }
      const row = await acceptFromGitHub(
        { headers, body: Buffer.from(text) },
        { current: 'the new one, also good', old: secret },
      )
      expect(JSON.stringify(row)).not.toContain('sha256=')
      const event = readGitHub({ id: 'd1', event: row.event, body: row.body })
      if ('refused' in event) throw new Error(event.refused)
      expect(event.payload).toEqual(body)
      const verdict = await source.decide(event, routine(where ?? event.repository ?? 'acme/shop', on))
      return verdict.act
    }
    const allow = { forks: true, bots: [(payload['sender'] as { login?: string } | undefined)?.login ?? 'x'] }
    const leaf = leafOf(payload)!
    const fits = {
      event: name,
      ...(payload.action ? { actions: [payload.action] } : {}),
      if: { [leaf.path]: { eq: leaf.value } },
      allow,
    }
    const isNobodys = payload['sender'] === undefined
    expect(await decide(named, fits)).toBe(isNobodys ? 'refuse' : 'fire')
    expect(await decide(named, { ...fits, if: { [leaf.path]: { ne: leaf.value } } })).toBe('pass')
    expect(await decide(named, { ...fits, actions: ['something_else'] })).toBe('pass')
    expect(await decide(named, { ...fits, event: 'no_such_event' })).toBe('pass')
    // Unless it was renamed, which GitHub is asked the first time.
    expect(['pass', 'unknown']).toContain(await decide(named, fits, 'acme/other'))

    const asItCame = isNobodys ? 'refuse' : 'fire'
    expect(await decide(payload, fits)).toBe(payload['repository'] === undefined ? 'pass' : asItCame)
  },
)
