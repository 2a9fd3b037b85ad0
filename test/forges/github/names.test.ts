import { expect, test } from 'vitest'
import { openForges } from '../../../src/forges/index.ts'
import { apiOf } from '../../../src/forges/github/client.ts'
import { nameAt } from '../../../src/forges/github/names.ts'
import { createPullRecords } from '../../support/pull-records.ts'

test.each([
  ['acme/shop', 'acme/shop'],
  ['acme/shop.git', 'acme/shop'],
  ['https://github.com/acme/shop', 'acme/shop'],
  ['https://github.com/acme/shop.git/', 'acme/shop'],
  ['https://GitHub.com/acme/shop', 'acme/shop'],
  ['https://user:secret@github.com/acme/shop', 'acme/shop'],
  ['git@github.com:acme/shop.git', 'acme/shop'],
  ['ssh://git@github.com/acme/shop.git', 'acme/shop'],
  ['ssh://git@github.com:22/acme/shop.git', 'acme/shop'],
  ['acme/.github', 'acme/.github'],
  ['./acme/shop', undefined],
  ['/acme/shop', undefined],
  ['acme', undefined],
  ['acme/shop/src', undefined],
  ['acme/..', undefined],
  ['https://github.com/acme/shop/tree/main', undefined],
  ['https://github.com/acme', undefined],
  ['https://github.com.evil.example/acme/shop', undefined],
  ['https://github.com:8443/acme/shop', undefined],
  ['https://evil.example/github.com/acme', undefined],
  ['git@evil.example:acme/shop.git', undefined],
  ['https://github.com/acme/sh%2Fop', undefined],
])('%s names %s', (written, name) => {
  expect(nameAt('github.com', written)).toBe(name)
})

test('an Enterprise server has a host and port of its own', () => {
  expect(nameAt('ghe.example:8443', 'https://ghe.example:8443/acme/shop')).toBe('acme/shop')
  expect(nameAt('ghe.example:8443', 'git@ghe.example:acme/shop')).toBe('acme/shop')
  expect(nameAt('ghe.example:8443', 'https://github.com/acme/shop')).toBeUndefined()
})

test.each([
  ['https://github.com', 'https://api.github.com'],
  ['https://acme.ghe.com', 'https://api.acme.ghe.com'],
  ['https://ghe.acme.example:8443', 'https://ghe.acme.example:8443/api/v3'],
  ['https://ghe.com.acme.example', 'https://ghe.com.acme.example/api/v3'],
])('the API of %s is at %s', (url, api) => {
  expect(apiOf(url)).toBe(api)
})

test('each repository has its forge, and an address elsewhere is refused without repeating its password', () => {
  const forges = openForges({
    local: { operator: { path: '', home: '' }, pulls: createPullRecords() },
    github: { url: 'https://github.com', auth: undefined, credentialsDir: '/nonexistent' },
  })
  expect(
    ['acme/shop', 'https://github.com/acme/shop', '../shop', '/srv/shop', 'file:///srv/shop'].map(
      (name) => forges.of(name).name,
    ),
  ).toEqual(['github', 'github', 'local', 'local', 'local'])
  expect(() => forges.of('https://me:secret@gitlab.example/acme/shop')).toThrow(
    expect.objectContaining({
      code: 'not_available',
      message: 'https://gitlab.example/acme/shop is not a repository at github.com',
    }),
  )
})
