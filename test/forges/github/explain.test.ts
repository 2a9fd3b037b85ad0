import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { GitFailed } from '../../../src/checkout/git.ts'
import { explainApi, limitedFor } from '../../../src/forges/github/explain-api.ts'
import { explainGit } from '../../../src/forges/github/explain-git.ts'
import { findHighest } from '../../../src/forges/github/family.ts'

const now = Date.parse('2026-01-02T03:00:00Z')
const answer = (status: number, headers: Record<string, unknown> = {}, message = 'no') => ({
  status,
  message,
  response: { headers, data: { message } },
})

describe('how long GitHub wants to be left alone', () => {
  const reset = String((now + 600_000) / 1000)
  test.each([
    ['a time in seconds', answer(403, { 'retry-after': '30' }), 30_000],
    ['a time in seconds, as 429', answer(429, { 'retry-after': '0' }), 0],
    ['a used-up budget', answer(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }), 601_000],
    [
      'a used-up budget, by the clock of GitHub',
      answer(403, {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': reset,
        date: new Date(now + 540_000).toUTCString(),
      }),
      61_000,
    ],
    ['a budget that is full again', answer(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }), 1000],
    ['a second limit without a time', answer(403, {}, 'You have exceeded a secondary rate limit'), 60_000],
    ['too many requests', answer(429), 60_000],
    ['nonsense', answer(403, { 'retry-after': 'soon', 'x-ratelimit-remaining': '0' }, 'rate limit'), 60_000],
    ['a missing permission', answer(403, { 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': reset }), undefined],
    ['another answer', answer(500, { 'retry-after': '30' }), undefined],
  ])('%s', (_, told, limit) => {
    expect(limitedFor(told, now)).toBe(limit)
  })
})

test.each([
  ['credentials', answer(401, {}, 'Bad credentials'), 'forge_denied', /OVERNIGHT_GITHUB_TOKEN/],
  [
    'a permission',
    answer(403, {}, 'Resource not accessible by integration'),
    'forge_denied',
    /Contents and Pull requests/,
  ],
  ['an archived repository', answer(403, {}, 'Repository was archived so is read-only.'), 'push_refused', /unarchive/],
  ['nothing there', answer(404), 'no_checkout', /hides what they may not see/],
  ['a takedown', answer(451), 'no_checkout', /correct/],
  ['a refusal', answer(422, {}, 'Validation Failed'), 'push_refused', /retry/],
])('%s is named, with what to do', (_, told, reason, hint) => {
  const error = Object.assign(new Error(told.message), told)
  expect(explainApi(error, 'opening', now)).toMatchObject({
    reason,
    retryable: false,
    hint: expect.stringMatching(hint),
  })
})

describe('an answer that cannot be read', () => {
  const unread = (data: unknown) => explainApi(z.object({ id: z.number() }).safeParse(data).error, 'opening', now)

  test('is waited for when it is none, and tried again a few times when it has changed', () => {
    expect(unread('<html>sign in</html>')).toMatchObject({ reason: 'forge_unavailable', retryable: true })
    const changed = unread({ id: 'seven' })
    expect(changed).toMatchObject({ reason: 'internal', retryable: true, message: expect.stringContaining('id: ') })
    expect(changed).toMatchObject({ code: 'internal', retryAfterMs: undefined })
  })
})

test('an error that is no answer of GitHub stays what it is', () => {
  const bug = new RangeError('ours')
  expect(explainApi(bug, 'opening', now)).toBe(bug)
  expect(explainGit(bug, 'acme/shop')).toBe(bug)
})

describe('what git says', () => {
  const url = "'https://github.com/acme/shop.git/'"
  const rejected = (why: string, ...remote: string[]) =>
    [
      ...remote.map((line) => `remote: ${line}`),
      'To https://github.com/acme/shop.git',
      ` ! [remote rejected] abc -> overnight/a/main (${why})`,
      "error: failed to push some refs to 'https://github.com/acme/shop.git'",
    ].join('\n')
  test.each([
    [
      rejected('protected branch hook declined', 'error: GH006: Protected branch update failed for refs/heads/x.'),
      'push_refused',
      /protects the branch: .*GH006/,
    ],
    [
      rejected('push declined due to repository rule violations', 'error: GH013: Repository rule violations found'),
      'push_refused',
      /protects the branch/,
    ],
    [
      rejected('pre-receive hook declined', 'branches need a ticket'),
      'push_refused',
      /refused the branch: branches need a ticket/,
    ],
    [
      rejected('pre-receive hook declined', 'rate limit of the scanner: Authentication failed'),
      'push_refused',
      /refused the branch: rate limit of the scanner/,
    ],
    [
      rejected(
        'pre-receive hook declined',
        'error: GH001: Large files detected.',
        "error: File big.bin is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB",
      ),
      'push_refused',
      /too large for acme\/shop: .*big\.bin/,
    ],
    [
      rejected(
        'refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission',
      ),
      'push_refused',
      /workflows: refusing to allow/,
    ],
    [
      `remote: This repository was archived so it is read-only.\nfatal: unable to access ${url}: The requested URL returned error: 403`,
      'push_refused',
      /archived/,
    ],
    [
      `remote: Write access to repository not granted.\nfatal: unable to access ${url}: The requested URL returned error: 403`,
      'forge_denied',
      /Write access/,
    ],
    [`fatal: Authentication failed for ${url}`, 'forge_denied', /credentials/],
    [
      "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
      'forge_denied',
      /credentials/,
    ],
    [`remote: Repository not found.\nfatal: repository ${url} not found`, 'no_checkout', /not found/],
    [`fatal: unable to access ${url}: The requested URL returned error: 301`, 'no_checkout', /moved/],
    [`fatal: unable to access ${url}: The requested URL returned error: 429`, 'forge_unavailable', /limits/],
    [
      `fatal: unable to access ${url}: The requested URL returned error: 502`,
      'forge_unavailable',
      /could not be reached/,
    ],
    [`fatal: unable to access ${url}: Could not resolve host: github.com`, 'forge_unavailable', /reached/],
    [
      `fatal: unable to access ${url}: Failed to connect to github.com port 443 after 1 ms: Couldn't connect to server`,
      'forge_unavailable',
      /reached/,
    ],
    [
      'error: RPC failed; curl 28 Operation too slow. Less than 1 bytes/sec transferred the last 60 seconds\nfatal: expected flush after ref listing',
      'forge_unavailable',
      /reached/,
    ],
    [
      'error: RPC failed; HTTP 500 curl 22 The requested URL returned error: 500\nfatal: the remote end hung up unexpectedly',
      'forge_unavailable',
      /reached/,
    ],
    ['error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413', 'push_refused', /too large/],
    ['fatal: early EOF\nfatal: fetch-pack: invalid index-pack output', 'forge_unavailable', /reached/],
    [
      'error: unable to write file ./objects/pack/x: No space left on device\nfatal: index-pack failed',
      'disk_full',
      /No space|index-pack/,
    ],
    ['fatal: something nobody has seen', 'no_checkout', /could not be read: fatal: something/],
  ])('%s', (stderr, reason, message) => {
    const failed = new GitFailed('push', 128, stderr)
    expect(explainGit(failed, 'acme/shop')).toMatchObject({
      reason,
      message: expect.stringMatching(message),
      cause: failed,
    })
  })
})

test('the highest number is found from any floor in few steps', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(2000), fc.nat(2000), async (a, b) => {
      const [floor, highest] = [Math.min(a, b), Math.max(a, b)]
      let asked = 0
      const isThere = async (ordinal: number) => {
        asked += 1
        return ordinal <= highest
      }
      expect(await findHighest(floor, isThere)).toBe(highest)
      expect(asked).toBeLessThanOrEqual(2 * Math.log2(highest - floor + 1) + 3)
    }),
  )
})
