import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseSandbox, type Probes } from '../../src/sandboxes/choose.ts'
import type { SandboxName } from '../../src/sandboxes/sandbox.ts'

const works = undefined
const refused = 'needs a sandbox: install bubblewrap or write sandbox: process'
const all: Probes = { docker: works, bubblewrap: works, process: works }
const noDocker: Probes = { docker: 'no daemon', bubblewrap: works, process: works }
const now: Probes = { bubblewrap: works, process: works }
const bare: Probes = { bubblewrap: 'not installed', process: works }

test.for<[SandboxName | null, string, Probes, object]>([
  [null, 'command', all, { driver: 'docker', warning: undefined }],
  [null, 'claude', noDocker, { driver: 'bubblewrap', warning: undefined }],
  [null, 'command', now, { driver: 'bubblewrap', warning: undefined }],
  [
    null,
    'command',
    bare,
    { driver: 'process', warning: expect.stringMatching(/^[^\n]*not installed[^\n]*plain process$/) },
  ],
  [null, 'claude', bare, { refused, reason: 'no_sandbox', hint: expect.stringContaining('not installed') }],
  ['process', 'claude', all, { driver: 'process', warning: undefined }],
  ['process', 'command', bare, { driver: 'process', warning: undefined }],
  ['bubblewrap', 'command', all, { driver: 'bubblewrap', warning: undefined }],
  [
    'bubblewrap',
    'command',
    bare,
    { refused: expect.stringContaining('not installed'), reason: 'no_sandbox', hint: expect.any(String) },
  ],
  [
    'docker',
    'command',
    noDocker,
    { refused: expect.stringContaining('no daemon'), reason: 'no_sandbox', hint: expect.any(String) },
  ],
  [
    'docker',
    'command',
    now,
    {
      refused: expect.stringContaining('not available'),
      reason: 'not_available',
      hint: expect.stringContaining('bubblewrap'),
    },
  ],
  [
    'kubernetes',
    'claude',
    now,
    { refused: expect.stringContaining('not available'), reason: 'not_available', hint: expect.any(String) },
  ],
])('asked %s, engine %s, probes %j', ([asked, engine, probes, expected]) => {
  expect(chooseSandbox({ sandbox: asked, engine, needsWalls: false }, probes)).toEqual(expected)
})

test('where strangers write and no walls work, nothing starts unless somebody asked for that', () => {
  const wish = { sandbox: null, engine: 'command', needsWalls: true }
  expect(chooseSandbox(wish, bare)).toMatchObject({
    refused: expect.stringContaining('needs walls'),
    reason: 'no_sandbox',
    hint: expect.stringMatching(/allow_trifecta.*not installed/),
  })
  expect(chooseSandbox(wish, now)).toMatchObject({ driver: 'bubblewrap' })
})

const names: SandboxName[] = ['process', 'bubblewrap', 'docker', 'kubernetes']
const anyProbes = fc.dictionary(fc.constantFrom(...names), fc.option(fc.string({ minLength: 1 }), { nil: undefined }))

test('what is chosen works; what was asked for is what one gets; only a command goes without walls unasked', () => {
  const property = fc.property(
    fc.option(fc.constantFrom(...names)),
    fc.constantFrom('command', 'claude', 'acp'),
    anyProbes,
    fc.boolean(),
    (asked, engine, found, needsWalls) => {
      const probes: Probes = { ...found, process: works }
      const choice = chooseSandbox({ sandbox: asked, engine, needsWalls }, probes)
      if ('refused' in choice) return
      expect(probes[choice.driver]).toBe(works)
      expect(choice.driver in probes).toBe(true)
      expect(choice.driver === (asked ?? choice.driver)).toBe(true)
      const unaskedWithoutWalls = asked === null && choice.driver === 'process'
      expect(choice.warning !== undefined).toBe(unaskedWithoutWalls)
      expect(unaskedWithoutWalls && (engine !== 'command' || needsWalls)).toBe(false)
    },
  )
  fc.assert(property)
})
