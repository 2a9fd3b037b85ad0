import { expect, test } from 'vitest'
import { repositoryScope } from '../../../src/http/api/repository-scope.ts'

test.each([
  ['acme/shop', 'acme/shop'],
  ['acme/shop.git', 'acme/shop'],
  ['https://github.com/acme/shop', 'acme/shop'],
  ['https://git.acme.example:8443/acme/shop.git/', 'acme/shop'],
  ['ssh://git@github.com/acme/shop.git', 'acme/shop'],
  ['git@github.com:acme/shop.git', 'acme/shop'],
  ['/srv/git/shop', '/srv/git/shop'],
  ['/srv/git/../shop//', '/srv/shop'],
  ['file:///srv/my%20shop', '/srv/my shop'],
])('%s is %s', (written, scope) => {
  expect(repositoryScope(written)).toBe(scope)
  expect(repositoryScope(scope)).toBe(scope)
})

test.each([
  '../shop',
  './shop',
  'shop',
  '.',
  '',
  ' ',
  'a/b/c',
  'acme/..',
  'https://github.com/acme',
  'https://github.com/a/b/c',
  'ftp://a.example/acme/shop',
  'git@github.com:shop',
  'file:///srv/a%2Fb',
  'file://host/srv',
  '~/shop',
])('%j is none that a run works on', (written) => {
  expect(repositoryScope(written)).toBeUndefined()
})
