import { describe, expect, test } from 'vitest'
import type { PullDraft, Repository } from '../../../src/forges/forge.ts'
import type { Fault } from '../../support/github/faults.ts'
import { openGitHubGround } from '../../support/github/ground.ts'

const branch = 'overnight/tidy/main'

/** A branch that was pushed already, and whose pull request is to be opened. */
async function openPushed(options: Parameters<typeof openGitHubGround>[0] = {}) {
  const ground = await openGitHubGround(options)
  const repository = await ground.forge.locate('acme/shop', ground.folder)
  const base = (await ground.forge.findHead(repository, 'main'))!
  const commit = ground.commit(base, { 'a.txt': 'a\n' })
  await ground.forge.ensureBranch({ ...ground, repository, branch, commit, expected: null })
  const opened = () => ground.github.journal.lines().filter((line) => line.kind === 'pull' && line.act === 'opened')
  return { ...ground, repository, commit, opened, [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose]() }
}

const draftOf = (repository: Repository, head: string, more: Partial<PullDraft> = {}): PullDraft => ({
  repository,
  branch,
  base: 'main',
  head,
  title: 'Tidy up',
  body: 'Body\n\n<!-- overnight: tidy/main run-1 -->',
  draft: true,
  labels: [],
  reviewers: [],
  routine: 'tidy',
  subject: 'main',
  run: 'run-1',
  ...more,
})
const refusal = (status: number, message: string, more: object = {}) => ({
  status,
  body: { message, ...more },
})
const opening = { method: 'POST', path: '/pulls$' }
const invalid = (message: string) =>
  refusal(422, 'Validation Failed', { errors: [{ resource: 'PullRequest', code: 'custom', message }] })

describe('opening a pull request', () => {
  const soon = Math.ceil(Date.now() / 1000) + 900
  test.each<[string, Fault, object]>([
    [
      'credentials that are refused for good',
      { path: '/pulls', times: 9, answer: refusal(401, 'Bad credentials') },
      { reason: 'forge_denied' },
    ],
    [
      'a missing permission',
      { ...opening, answer: refusal(403, 'Resource not accessible by integration') },
      { reason: 'forge_denied', hint: expect.stringContaining('Pull requests') },
    ],
    [
      'a limit with a time',
      {
        ...opening,
        answer: { ...refusal(403, 'You have exceeded a secondary rate limit'), headers: { 'retry-after': '120' } },
      },
      { reason: 'forge_unavailable', retryable: true, retryAfterMs: 120_000 },
    ],
    [
      'a used-up budget',
      {
        ...opening,
        answer: {
          ...refusal(403, 'API rate limit exceeded'),
          headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(soon) },
        },
      },
      { reason: 'forge_unavailable', retryable: true, retryAfterMs: expect.closeTo(900_000, -5) },
    ],
    [
      'a limit without a time',
      { ...opening, answer: refusal(429, 'Too many requests') },
      { reason: 'forge_unavailable', retryAfterMs: 60_000 },
    ],
    ['a repository that went away', { ...opening, answer: refusal(404, 'Not Found') }, { reason: 'no_checkout' }],
    [
      'a refusal',
      { ...opening, answer: invalid('base is odd') },
      { reason: 'push_refused', message: expect.stringContaining('base is odd') },
    ],
    [
      'a storm of errors',
      { ...opening, times: 9, answer: { status: 502, body: '<html>unicorn</html>' } },
      { reason: 'forge_unavailable', retryable: true },
    ],
    ['half an answer', { ...opening, connection: 'truncated' }, { reason: 'forge_unavailable', retryable: true }],
    [
      'a page instead of an answer',
      { method: 'GET', path: '/pulls', answer: { status: 200, body: '<html>sign in</html>' } },
      { reason: 'forge_unavailable', retryable: true },
    ],
    [
      'no answer at all',
      { ...opening, times: 9, connection: 'hang' },
      { reason: 'forge_unavailable', retryable: true },
    ],
    [
      'a connection that ends, again and again',
      { ...opening, times: 9, connection: 'drop' },
      { reason: 'forge_unavailable', retryable: true },
    ],
    [
      'an App that was removed in the middle',
      { path: 'access_tokens$', times: 9, answer: refusal(404, 'Not Found') },
      { reason: 'no_checkout', message: expect.stringContaining('not installed') },
    ],
    [
      'an App that was suspended',
      { path: 'access_tokens$', times: 9, answer: refusal(403, 'This installation has been suspended') },
      { reason: 'forge_denied' },
    ],
  ])('%s: is named, and when all is well again there is one', async (_, fault, error) => {
    await using ground = await openPushed({ patience: { requestTimeoutMs: 250 } })
    ground.github.fault(fault)
    const draft = draftOf(ground.repository, ground.commit)
    await expect(ground.forge.ensurePull(draft)).rejects.toMatchObject(error)
    ground.github.healthy()
    expect(await ground.forge.ensurePull(draft)).toMatchObject({ number: 1, head: ground.commit })
    expect(ground.opened()).toHaveLength(1)
  })

  test.each<[string, Fault]>([
    ['a token that is not known', { path: '/pulls', answer: refusal(401, 'Bad credentials') }],
    ['an error', { ...opening, answer: { status: 500, body: '' } }],
    ['two errors', { ...opening, times: 2, answer: { status: 503, body: '' } }],
    ['a lost answer', { ...opening, connection: 'lost' }],
    ['a connection that ends', { ...opening, connection: 'drop' }],
    [
      'a branch that is not known everywhere yet',
      {
        ...opening,
        times: 2,
        answer: refusal(422, 'Validation Failed', {
          errors: [{ resource: 'PullRequest', field: 'head', code: 'invalid' }],
        }),
      },
    ],
    [
      'a node that is not known everywhere yet',
      { ...opening, answer: invalid("Could not resolve to a node with the global id of 'x'.") },
    ],
  ])('%s costs nothing', async (_, fault) => {
    await using ground = await openPushed()
    ground.github.fault(fault)
    expect(await ground.forge.ensurePull(draftOf(ground.repository, ground.commit))).toMatchObject({
      number: 1,
      draft: true,
    })
    expect(ground.opened()).toHaveLength(1)
  })

  test('a token that expired in the middle of a run is minted anew', async () => {
    await using ground = await openPushed()
    ground.github.expireTokens()
    expect(await ground.forge.ensurePull(draftOf(ground.repository, ground.commit))).toMatchObject({ number: 1 })
  })

  test('twenty at once that know nothing of each other open one', async () => {
    await using ground = await openPushed()
    const { app } = ground.github
    const pulls = await Promise.all(
      Array.from({ length: 20 }, () =>
        ground
          .forgeAs({ kind: 'app', appId: app.id, keyFile: app.keyFile })
          .ensurePull(draftOf(ground.repository, ground.commit)),
      ),
    )
    expect(new Set(pulls.map(({ id }) => id))).toEqual(new Set(['acme/shop#1']))
    expect(ground.opened()).toHaveLength(1)
  })

  test('where drafts are not supported it is opened as it can be, and that is told', async () => {
    await using ground = await openPushed()
    ground.github.fault({
      ...opening,
      answer: refusal(422, 'Draft pull requests are not supported in this repository.'),
    })
    const pull = await ground.forge.ensurePull(draftOf(ground.repository, ground.commit))
    expect(pull).toMatchObject({ draft: false, notes: [expect.stringContaining('does not support drafts')] })
  })

  test('labels and reviewers are set; those that cannot be are told, and fail nothing', async () => {
    await using ground = await openPushed()
    const wanted = { labels: ['docs', 'routine'], reviewers: ['ada', 'nobody-of-that-name'] }
    const pull = await ground.forge.ensurePull(draftOf(ground.repository, ground.commit, wanted))
    expect(pull.notes).toEqual([
      expect.stringMatching(/^nobody-of-that-name could not be asked for a review: Validation/),
    ])
    const [shown] = await ground.github.pulls('acme/shop')
    expect(shown).toMatchObject({
      labels: [{ name: 'docs' }, { name: 'routine' }],
      requested_reviewers: [{ login: 'ada' }],
    })

    const asked = () =>
      ground.github.journal.lines().filter((line) => line.kind === 'request' && /labels|reviewers/.test(line.path))
    const before = asked().length
    await ground.forge.ensurePull(draftOf(ground.repository, ground.commit, { ...wanted, reviewers: ['ada'] }))
    expect(asked()).toHaveLength(before)

    ground.github.fault({ path: '/labels$', answer: refusal(403, 'Resource not accessible by integration') })
    const more = await ground.forge.ensurePull(draftOf(ground.repository, ground.commit, { labels: ['late'] }))
    expect(more.notes).toEqual([expect.stringMatching(/^the labels late could not be set: Resource/)])
  })

  test('a short limit is waited out to the second', async () => {
    await using ground = await openPushed({ patience: { spaced: true, waitAtMostMs: 5000 } })
    ground.github.fault({
      method: 'GET',
      path: '/pulls',
      answer: { ...refusal(403, 'You have exceeded a secondary rate limit'), headers: { 'retry-after': '1' } },
    })
    const begun = performance.now()
    expect(await ground.forge.findPulls(ground.repository, branch)).toEqual([])
    expect(performance.now() - begun).toBeGreaterThan(1000)
  })

  const usedUp = (untilMs: number) => ({
    ...refusal(403, 'API rate limit exceeded for installation'),
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil((Date.now() + untilMs) / 1000)) },
  })

  test('a used-up budget that is soon full again is waited for, and then everything is done', async () => {
    await using ground = await openPushed({ patience: { spaced: true, waitAtMostMs: 5000 } })
    const [before, left] = [Date.now(), 1000]
    ground.github.fault({ method: 'GET', path: '/pulls', answer: usedUp(left) })
    expect(await ground.forge.findPulls(ground.repository, branch)).toEqual([])
    expect(Date.now() - before).toBeGreaterThan(left)
  })

  test('for one that is full again much later the run gives way, and asks no more', async () => {
    await using ground = await openPushed({ patience: { spaced: true, waitAtMostMs: 5000 } })
    ground.github.fault({ ...opening, times: 9, answer: usedUp(900_000) })
    await expect(ground.forge.ensurePull(draftOf(ground.repository, ground.commit))).rejects.toMatchObject({
      reason: 'forge_unavailable',
      retryAfterMs: expect.closeTo(900_000, -5),
    })
    const asked = ground.github.journal.lines().filter((line) => line.kind === 'request' && line.status === 403)
    expect(asked).toHaveLength(1)
  })
})

describe('who is stopped', () => {
  test.each<[string, Fault]>([
    [
      'a limit',
      {
        path: '/pulls',
        times: 9,
        answer: {
          status: 403,
          headers: { 'retry-after': '30' },
          body: { message: 'You have exceeded a secondary rate limit' },
        },
      },
    ],
    ['an answer', { path: '/pulls', times: 9, connection: 'hang' }],
    ['a token', { path: 'access_tokens$', times: 9, connection: 'hang' }],
  ])(
    'does not wait for %s',
    async (_, fault) => {
      await using ground = await openPushed({ patience: { spaced: true, waitAtMostMs: 60_000 } })
      ground.github.fault(fault)
      const stop = new AbortController()
      const arrived = ground.github.reached(new RegExp(fault.path))
      const listing = ground.forge.findPulls(ground.repository, branch, stop.signal).catch((error: unknown) => error)
      await arrived
      stop.abort(new Error('enough'))
      expect(await listing).toMatchObject({ message: 'enough' })
      ground.github.healthy()
      await expect(ground.forge.findPulls(ground.repository, branch, stop.signal)).rejects.toThrow('enough')
    },
    5000,
  )
})

describe('a family', () => {
  test.each([branch, `${branch}-2`, `${branch}-999999999`])(
    'is not joined by the pull request of a fork that was deleted, from its %s',
    async (ref) => {
      await using ground = await openPushed()
      await ground.forge.ensurePull(draftOf(ground.repository, ground.commit))
      const [ours] = await ground.github.pulls('acme/shop')
      const strangers = [{ ...ours, number: 66, head: { ...ours!.head, ref, repo: null } }]
      ground.github.fault({ method: 'GET', path: '/pulls', times: 99, answer: { status: 200, body: strangers } })
      expect(await ground.forge.findPulls(ground.repository, branch)).toEqual([])
      // Opening does not take it for its own, either.
      ground.github.healthy()
      await ground.github.close('acme/shop', 1)
      ground.github.fault({ method: 'GET', path: '/pulls', answer: { status: 200, body: strangers } })
      const draft = draftOf(ground.repository, ground.commit, { body: 'again' })
      expect((await ground.forge.ensurePull(draft)).number).toBeLessThan(66)
    },
  )

  test('of many that were merged and whose branches are gone: the last ones are found', async () => {
    await using ground = await openPushed()
    for (let ordinal = 1; ordinal <= 9; ordinal += 1) {
      const name = ordinal === 1 ? branch : `${branch}-${ordinal}`
      const head = ordinal === 1 ? ground.commit : ground.github.commit('acme/shop', name, { [`${ordinal}.txt`]: 'x' })
      const pull = await ground.forge.ensurePull(draftOf(ground.repository, head, { branch: name, body: `${ordinal}` }))
      await ground.github.merge('acme/shop', pull.number)
    }
    const family = await ground.forge.findPulls(ground.repository, branch)
    expect(family.map((pull) => [pull.branch, pull.state])).toEqual(
      [9, 8, 7, 6, 5].map((ordinal) => [`${branch}-${ordinal}`, 'merged']),
    )
  })
})
