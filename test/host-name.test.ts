import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostName } from '../src/host-name.ts'

describe('the name of a host', () => {
  test.each([
    ['packages.example.org', 'packages.example.org'],
    ['Packages.EXAMPLE.org', 'packages.example.org'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['ｅｘａｍｐｌｅ。com', 'example.com'],
    ['a_b.example', 'a_b.example'],
    ['1and1.com', '1and1.com'],
    // The first letter is Cyrillic: another name, and it stays one.
    ['аpple.com', 'xn--pple-43d.com'],
  ])('%s is %s', (written, name) => expect(hostName(written)).toBe(name))

  const none = [
    '',
    ' ',
    'localhost',
    'example',
    'example.com.',
    '.example.com',
    'example..com',
    '-a.example',
    'a-.example',
    '*.example.com',
    'example.com:443',
    'https://example.com',
    'example.com/',
    'example.com\\evil.example',
    'user@example.com',
    'user:pw@example.com',
    'example.com#x',
    'example.com?x',
    'example.com\0.evil.example',
    'example.com%00.evil.example',
    'example.com%2eevil',
    'exa mple.com',
    'exa\tmple.com',
    'example.com\n',
    'example.com\r\nHost: evil.example',
    'exam\u00adple.com',
    'exam\u200bple.com',
    '\u202eexample.com',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0x7F.0x0.0x0.0x1',
    '0177.0.0.1',
    '127.0.0.0x1',
    '127.0.0.1.',
    '１２７.0.0.1',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '1.2.3',
    'a.b.0x',
    'example.09',
    '[::1]',
    '::1',
    '[::ffff:127.0.0.1]',
    '0:0:0:0:0:ffff:7f00:1',
    'fe80::1%eth0',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
  ]
  test.each(none)('%j is none', (written) => expect(hostName(written)).toBeUndefined())

  test('whatever is written: it is itself when it is read again, and nothing but small letters, digits, - _ and .', () => {
    const parts = fc.string({
      unit: fc.constantFrom('a', 'B', '1', '-', '.', 'ü', '。', 'x', 'n', '０', '%', ':', '\0'),
    })
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), parts, fc.domain(), fc.ipV4Extended(), fc.ipV6()),
        (written) => {
          const name = hostName(written)
          if (name === undefined) return
          expect(name).toMatch(/^[a-z0-9_.-]+\.[a-z0-9_-]+$/)
          expect(hostName(name)).toBe(name)
          // What the URL parser of browsers and of fetch makes of it is the same host, never an address.
          expect(URL.parse(`https://${name}/`)?.hostname ?? name).toBe(name)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
