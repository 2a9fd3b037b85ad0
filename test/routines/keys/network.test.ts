import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostName } from '../../../src/host-name.ts'
import { lintRoutine } from '../../../src/routines/lint.ts'
import { hostsOf, networkOf, presets } from '../../../src/routines/keys/network.ts'
import { problemsOf, readGood, routineText } from '../reading/reading.ts'

/** With a repository, `open` is refused without it. */
const meant = 'allow_trifecta: true'

describe('network in a routine file', () => {
  test.each([
    ['network: none', 'none'],
    ['network: open', 'open'],
    ['network: []', 'none'],
    ['network: [API.Example.com, api.example.com, npm]', ['api.example.com', 'npm']],
    ['network: [bücher.example]', ['xn--bcher-kva.example']],
  ])('%s', (written, network) => {
    expect(readGood(routineText(`${written}\n${meant}`))).toMatchObject({ network, unavailable: [] })
  })

  test.each([
    ['network: [open]', 'open is written alone'],
    ['network: [none, npm]', 'none is written alone'],
    ['network: ["*.example.com"]', 'must be exact'],
    ['network: ["https://example.com"]', 'without https:// and path'],
    ['network: [example.com/path]', 'without https:// and path'],
    ['network: ["example.com:8443"]', 'without a port'],
    ['network: [regsitries]', 'or one of npm, pypi'],
    ['network: [constructor]', 'or one of npm, pypi'],
    ['network: [10.0.0.1]', 'addresses are not reached'],
    ['network: ["[::1]"]', 'must be'],
    ['network: [10.0.0.0x1.]', 'addresses are not reached'],
    ['network: ["[::ffff:1.2.3.4]"]', 'addresses are not reached'],
    ['network: [example.com.]', 'must be without the dot at the end'],
    ['network: [bü cher.de]', 'may be written as xn--…'],
    ['network: ["example.com\\0.evil.example"]', 'must be the name of a host'],
    ['network: [""]', 'must be'],
  ])('not %s', (written, message) => {
    const problems = problemsOf(routineText(written))
    expect(problems).toEqual([expect.stringMatching(/^x\.md:4:/)])
    expect(problems[0]).toContain(message)
  })

  test('open is a warning of check, at its place', () => {
    const warnings = (written: string) => lintRoutine(readGood(routineText(`${written}\n${meant}`)))
    expect(warnings('network: open')).toMatchObject([{ line: 4, message: expect.stringContaining('open') as string }])
    expect(warnings('network: [npm]')).toEqual([])
  })
})

describe('the hosts it comes to', () => {
  test('presets are exact hosts, each once in its table, and registries is all of them', () => {
    for (const hosts of Object.values(presets)) {
      expect(hosts.map((host) => hostName(host))).toEqual(hosts)
      expect(new Set(hosts).size).toBe(hosts.length)
    }
    const { registries, ...each } = presets
    expect(new Set(registries)).toEqual(new Set(Object.values(each).flat()))
  })

  test('nothing, everything, or what is listed and no more', () => {
    expect(hostsOf('none')).toEqual(new Set())
    expect(hostsOf('open')).toBe('open')
    const entry = fc.oneof(fc.constantFrom(...Object.keys(presets)), fc.domain())
    fc.assert(
      fc.property(fc.array(entry), (written) => {
        const hosts = hostsOf(networkOf(written))
        const meant = written.flatMap((one) => (Object.hasOwn(presets, one) ? presets[one]! : [hostName(one) ?? one]))
        expect(hosts).toEqual(new Set(meant))
      }),
    )
  })
})
