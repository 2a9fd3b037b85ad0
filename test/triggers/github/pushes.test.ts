import { describe, expect, test } from 'vitest'
import { isPushTo, names } from '../../../src/triggers/github/pushes.ts'
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
