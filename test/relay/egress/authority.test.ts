import { describe, expect, test } from 'vitest'
import { readAuthority, shown } from '../../../src/relay/egress/authority.ts'

const hosts = new Set(['allowed.example', 'xn--bcher-kva.example', 'apple.com'])

describe('where a CONNECT may go', () => {
  test.each([
    ['allowed.example:443', 'allowed.example'],
    ['ALLOWED.example:443', 'allowed.example'],
    ['allowed.example:0443', undefined],
    ['xn--bcher-kva.example:443', 'xn--bcher-kva.example'],
  ])('%s', (written, host) => {
    const read = readAuthority(written, hosts)
    expect('why' in read ? undefined : read.host).toBe(host)
  })

  const refused: [string, RegExp][] = [
    ['allowed.example:80', /port 443/],
    ['allowed.example:22', /port 443/],
    ['allowed.example:8443', /port 443/],
    ['allowed.example', /host with a port/],
    ['allowed.example:', /host with a port/],
    ['allowed.example:443:443', /host with a port/],
    ['allowed.example:443/', /host with a port/],
    ['allowed.example:443443', /host with a port/],
    ['allowed.example:+443', /host with a port/],
    ['allowed.example: 443', /host with a port/],
    ['https://allowed.example:443', /host with a port/],
    ['evil@allowed.example:443', /host with a port/],
    ['allowed.example:443@evil.example:443', /host with a port/],
    ['allowed.example@evil.example:443', /host with a port/],
    ['allowed.example.:443', /name of a host/],
    ['allowed.example\0.evil.example:443', /name of a host/],
    ['allowed.example%00.evil.example:443', /name of a host/],
    ['allowed.example\r\nX: y:443', /host with a port/],
    ['allowed.example\t:443', /name of a host/],
    ['.allowed.example:443', /name of a host/],
    ['allowed..example:443', /name of a host/],
    ['bücher.example:443', /name of a host/],
    ['ａllowed.example:443', /name of a host/],
    ['allowed。example:443', /name of a host/],
    ['allowed\u00ad.example:443', /name of a host/],
    ['аpple.com:443', /name of a host/],
    ['xn--pple-43d.com:443', /not in the network/],
    ['allowed.example.evil.example:443', /not in the network/],
    ['evil-allowed.example:443', /not in the network/],
    ['sub.allowed.example:443', /not in the network/],
    ['llowed.example:443', /not in the network/],
    ['example:443', /name of a host/],
    ['localhost:443', /name of a host/],
    ['127.0.0.1:443', /name of a host/],
    ['0x7f.1:443', /name of a host/],
    ['2130706433:443', /name of a host/],
    ['[::1]:443', /host with a port/],
    ['[::ffff:127.0.0.1]:443', /host with a port/],
    ['::1:443', /host with a port/],
    ['', /host with a port/],
    [':443', /host with a port/],
    ['*:443', /name of a host/],
    ['*.example:443', /name of a host/],
  ]
  test.each(refused)('not to %j', (written, why) => {
    const read = readAuthority(written, hosts)
    expect(read).toMatchObject({ why: expect.stringMatching(why) as string })
    expect(read.host).toMatch(/^[\x21-\x7e]*…?$/)
  })

  test.each(refused.filter(([, why]) => !why.source.includes('network')))(
    'nor where everything is open: %j',
    (written) => expect(readAuthority(written, 'open')).toHaveProperty('why'),
  )

  test('open means every name; without a network none', () => {
    expect(readAuthority('any.example:443', 'open')).toEqual({ host: 'any.example' })
    expect(readAuthority('any.example:443', new Set())).toMatchObject({
      why: expect.stringContaining('no network') as string,
    })
  })
})

test('what a stranger wrote is shown in printable ASCII, and cut', () => {
  expect(shown('a\0b\n\u202ec')).toBe(String.raw`a\u{0}b\u{a}\u{202e}c`)
  expect(shown('x'.repeat(10_000))).toBe(`${'x'.repeat(100)}…`)
})
