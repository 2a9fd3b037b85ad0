import { describe, expect, test } from 'vitest'
import { readDestination } from '../../src/outgoing/address.ts'

const isTaken = (host: string, allowed: readonly string[] = []) =>
  'url' in readDestination(`https://${host}/x`, allowed)

describe('an address that says itself that it is private is refused before any name is resolved', () => {
  test.each([
    ['9.255.255.255', '10.0.0.0', '10.255.255.255', '11.0.0.0'],
    ['100.63.255.255', '100.64.0.0', '100.127.255.255', '100.128.0.0'],
    ['126.255.255.255', '127.0.0.0', '127.255.255.255', '128.0.0.0'],
    ['169.253.255.255', '169.254.0.0', '169.254.169.254', '169.255.0.0'],
    ['172.15.255.255', '172.16.0.0', '172.31.255.255', '172.32.0.0'],
    ['192.167.255.255', '192.168.0.0', '192.168.255.255', '192.169.0.0'],
    ['198.17.255.255', '198.18.0.0', '198.19.255.255', '198.20.0.0'],
    ['223.255.255.255', '224.0.0.0', '255.255.255.255', '1.0.0.0'],
  ])('between %s and %s … %s, and after', (before, first, last, after) => {
    expect([before, first, last, after].map((host) => isTaken(host))).toEqual([true, false, false, true])
    expect(isTaken(first, [first])).toBe(true)
  })

  test.each(['localhost', 'LOCALHOST', 'app.localhost', '0', '0x7f.1', '2130706433', '[::1]', '[fe80::1]'])(
    '%s',
    (host) => {
      expect(readDestination(`https://${host}/x`, [])).toEqual({
        refused: expect.stringMatching(/ is not a public address$/) as string,
        hint: expect.stringMatching(/^use a public one, or list .* in OVERNIGHT_ALLOW_HOSTS$/) as string,
      })
      expect(isTaken(host, [new URL(`https://${host}`).hostname])).toBe(true)
    },
  )

  test.each(['example.com', 'localhost.example.com', 'notlocalhost', '[2606:4700::1111]', '8.8.8.8'])(
    'not %s',
    (host) => {
      expect(isTaken(host)).toBe(true)
    },
  )
})
