import { describe, expect, test } from 'vitest'
import { besideIn, parseRepositoryFolder } from '../src/repository-folder.ts'

const parsed = (written: string) => {
  const found = parseRepositoryFolder('OVERNIGHT_ROUTINES', written)
  return found && [found.repository, found.folder, found.branch]
}

describe('a folder in a git repository', () => {
  test.each([
    ['acme/routines', ['acme/routines', 'routines', null]],
    ['acme/shop:ci/nightly', ['acme/shop', 'ci/nightly', null]],
    ['acme/shop:.', ['acme/shop', '', null]],
    ['acme/shop:./ci//x/', ['acme/shop', 'ci/x', null]],
    ['acme/shop@release/2', ['acme/shop', 'routines', 'release/2']],
    ['acme/shop.git:x@main', ['acme/shop.git', 'x', 'main']],
    ['https://github.com/acme/shop.git', ['https://github.com/acme/shop.git', 'routines', null]],
    ['https://git.acme.test:8443/acme/shop:ci@main', ['https://git.acme.test:8443/acme/shop', 'ci', 'main']],
    ['ssh://git@git.acme.test/acme/shop:ci', ['ssh://git@git.acme.test/acme/shop', 'ci', null]],
    ['git@github.com:acme/shop.git:ci@main', ['git@github.com:acme/shop.git', 'ci', 'main']],
    ['file:///srv/git/routines.git:.@main', ['file:///srv/git/routines.git', '', 'main']],
  ])('%s', (written, expected) => expect(parsed(written)).toEqual(expected))

  test.each(['routines', './routines', '../shop/routines', '/srv/routines', 'a/b/c', 'C:\\routines', '~/routines', ''])(
    'is not what %j says: that is a path',
    (written) => expect(parsed(written)).toBeUndefined(),
  )

  test.each(['acme/shop:../other', 'acme/shop:/etc', 'acme/shop:a/../../b'])('%s is outside of it', (written) =>
    expect(() => parsed(written)).toThrow('which is not in the repository'),
  )

  test('has a name that says where it is', () => {
    expect(parseRepositoryFolder('X', 'acme/shop@main')?.name).toBe('acme/shop:routines@main')
    expect(parseRepositoryFolder('X', 'acme/shop:.')?.name).toBe('acme/shop:.')
  })

  test('has others beside it', () => {
    const beside = (written: string, name = 'webhooks') => besideIn(parseRepositoryFolder('X', written)!, name).name
    expect(beside('acme/shop')).toBe('acme/shop:webhooks')
    expect(beside('acme/shop:ci/night', 'connectors')).toBe('acme/shop:ci/connectors')
    expect(beside('acme/shop:.@main')).toBe('acme/shop:webhooks@main')
    expect(beside('acme/shop:ci/night')).toBe('acme/shop:ci/webhooks')
  })
})
