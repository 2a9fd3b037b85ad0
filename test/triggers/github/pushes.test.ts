import { describe, expect, test } from 'vitest'
import { isPushTo, names, newHeadInto } from '../../../src/triggers/github/pushes.ts'
import type { OutsideEvent } from '../../../src/triggers/source.ts'

const push = (more: Partial<OutsideEvent> = {}): OutsideEvent => ({
  delivery: 'd',
  source: 'github',
  event: 'push',
  action: null,
  repository: 'acme/Shop',
  sender: 'ada',
  subject: null,
  payload: { ref: 'refs/heads/main', repository: { default_branch: 'main' } },
  ...more,
})

describe('a pull request', () => {
  const pull = (more: Partial<OutsideEvent> = {}, base = 'main'): OutsideEvent => {
    const payload = { pull_request: { number: 7, base: { ref: base } }, repository: { default_branch: 'main' } }
    return { ...push(), event: 'pull_request', action: 'opened', subject: 'pr-7', payload, ...more }
  }
  test.each([
    ['that was opened', pull(), 'main', 7],
    ['that was pushed to', pull({ action: 'synchronize' }), 'main', 7],
    ['that was opened again, into the default branch', pull({ action: 'reopened' }), null, 7],
    ['that was closed', pull({ action: 'closed' }), 'main', undefined],
    ['into another branch', pull({}, 'next'), 'main', undefined],
    ['of another repository', pull({ repository: 'acme/other' }), 'main', undefined],
    ['without a number', pull({ subject: null }), 'main', undefined],
    ['of another source', pull({ source: 'gitea' }), 'main', undefined],
    ['that is none', pull({ event: 'issues' }), 'main', undefined],
  ])('%s', (_what, event, branch, expected) =>
    expect(newHeadInto(event, { repository: 'acme/shop', branch })).toBe(expected),
  )
})

describe('a push', () => {
  test.each([
    ['to the branch', push(), { branch: 'main' }, true],
    ['to the default branch', push(), { branch: null }, true],
    ['to another branch', push(), { branch: 'next' }, false],
    ['of a tag of that name', push({ payload: { ref: 'refs/tags/main' } }), { branch: 'main' }, false],
    ['without a default branch', push({ payload: { ref: 'refs/heads/null' } }), { branch: null }, false],
    ['of another repository', push({ repository: 'acme/other' }), { branch: 'main' }, false],
    ['of nothing', push({ repository: null }), { branch: 'main' }, false],
    ['of another source', push({ source: 'gitea' }), { branch: 'main' }, false],
    ['that is none', push({ event: 'create' }), { branch: 'main' }, false],
  ])('%s', (_what, event, { branch }, expected) =>
    expect(isPushTo(event, { repository: 'acme/shop', branch })).toBe(expected),
  )
})

test.each([
  ['acme/shop', true],
  ['https://github.com/Acme/shop.git', true],
  ['https://github.com/acme/shop/', true],
  ['git@github.com:acme/shop.git', true],
  ['bigacme/shop', false],
  ['acme/shop-two', false],
])('%s names acme/shop: %s', (written, expected) => expect(names(written, 'acme/shop')).toBe(expected))
