import { describe, expect, test } from 'vitest'
import type { Check } from '../../../src/forges/github/checks.ts'
import { createGitHubNotices } from '../../../src/forges/github/notices.ts'
import { openGitHubGround } from '../../support/github/ground.ts'
import type { GitHub } from '../../support/github/stand-in.ts'

const signal = AbortSignal.timeout(60_000)
const patience = { waitAtMostMs: 0, pauseMs: 1, spaced: false }
const asApp = ({ url, app }: GitHub, login = 'overnight[bot]') =>
  createGitHubNotices({
    url,
    auth: { kind: 'app', appId: app.id, keyFile: app.keyFile },
    self: async () => ({ login }),
    patience,
  })!
const asToken = ({ url, tokens }: GitHub) =>
  createGitHubNotices({
    url,
    auth: { kind: 'token', token: tokens.owner },
    self: async () => ({ login: 'acme' }),
    patience,
  })!
const check = (commit: string, more: Partial<Check> = {}): Check => ({
  name: 'overnight/routines',
  commit,
  conclusion: 'success',
  title: '1 routine in force',
  summary: 'All is well.',
  annotations: [],
  ...more,
})
const annotation = { path: 'routines/a.md', line: 3, message: 'no' }
const failure = {
  conclusion: 'failure',
  title: 'broken',
  annotations: Array.from({ length: 50 }, () => annotation),
} as const

describe('what people are told on GitHub', () => {
  test('a check run of an App is there once for each verdict, whoever writes it how often', async () => {
    await using ground = await openGitHubGround()
    const { github } = ground
    const commit = github.repositories.headOf('acme/shop', 'main')!
    await asApp(github).ensureCheck('acme/shop', check(commit), signal)
    await asApp(github).ensureCheck('acme/shop', check(commit), signal)
    expect(github.checkRuns('acme/shop', commit)).toMatchObject([{ conclusion: 'success', status: 'completed' }])
    await asApp(github).ensureCheck('acme/shop', check(commit, failure), signal)
    expect(github.checkRuns('acme/shop', commit)[0]).toMatchObject({
      conclusion: 'failure',
      output: {
        title: 'broken',
        annotations: { length: 50, 0: { path: 'routines/a.md', start_line: 3, end_line: 3 } },
      },
    })
  })

  test('a token writes a status instead, which is as short as GitHub wants it', async () => {
    await using ground = await openGitHubGround()
    const { github } = ground
    const commit = github.repositories.headOf('acme/shop', 'main')!
    const long = check(commit, { ...failure, title: 'x'.repeat(200) })
    for (const one of [check(commit), check(commit), long, long])
      await asToken(github).ensureCheck('acme/shop', one, signal)
    expect(github.statuses('acme/shop', commit)).toMatchObject([
      { context: 'overnight/routines', state: 'failure', description: 'x'.repeat(140) },
      { context: 'overnight/routines', state: 'success', description: '1 routine in force' },
    ])
  })

  test('an App that may not is told which permission it lacks', async () => {
    await using ground = await openGitHubGround({ permissions: { contents: 'write', metadata: 'read' } })
    const commit = ground.github.repositories.headOf('acme/shop', 'main')!
    await expect(asApp(ground.github).ensureCheck('acme/shop', check(commit), signal)).rejects.toMatchObject({
      reason: 'forge_denied',
      hint: expect.stringContaining('Checks'),
    })
  })

  test('a comment is found again, brought up to date, and written by nobody else', async () => {
    await using ground = await openGitHubGround()
    const { github } = ground
    const { number } = await github.propose('acme/shop', { branch: 'change', files: { 'a.md': 'a' } })
    const marker = '<!-- overnight: plan routines -->'
    const say = (words: string, onlyUpdate = false) => ({
      pull: number,
      marker,
      body: `${words}\n\n${marker}`,
      onlyUpdate,
    })
    await asApp(github).ensureComment('acme/shop', say('nothing', true), signal)
    expect(await github.comments('acme/shop', number)).toEqual([])
    // Somebody else has our marker in a comment.
    await asToken(github).ensureComment('acme/shop', say('forged'), signal)
    await asApp(github).ensureComment('acme/shop', say('one'), signal)
    await asApp(github).ensureComment('acme/shop', say('two'), signal)
    await asApp(github).ensureComment('acme/shop', say('three', true), signal)
    const comments = await github.comments('acme/shop', number)
    expect(comments.map(({ body, user }) => [user.login, body.split('\n')[0]])).toEqual([
      ['acme', 'forged'],
      ['overnight[bot]', 'three'],
    ])
  })

  test('of comments that several wrote at once one stays', async () => {
    await using ground = await openGitHubGround()
    const { github } = ground
    const { number } = await github.propose('acme/shop', { branch: 'change', files: { 'a.md': 'a' } })
    const marker = '<!-- overnight: plan routines -->'
    const say = { pull: number, marker, body: `same\n\n${marker}`, onlyUpdate: false }
    await Promise.all([1, 2, 3].map(() => asApp(github).ensureComment('acme/shop', say, signal)))
    expect(await github.comments('acme/shop', number)).toHaveLength(1)
  })
})
