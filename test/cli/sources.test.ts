import { expect, test } from 'vitest'
import { fromHere, stateOf } from '../../src/cli/sources.ts'

const source = { source: 'a', description: '', path: null, ready: true, broken: false, polling: null, refused: null }
const looks = { everySeconds: 60, lookedAt: null, nextAt: '2026-11-21T16:00:00Z', failures: 0, error: null }
const failed = {
  ...looks,
  failures: 2,
  error: 'a.test would be asked in the open – list a.test in OVERNIGHT_ALLOW_HOSTS',
}

test.for([
  [{}, /^ready$/],
  [{ ready: false }, /^its secret is not there$/],
  [{ ready: false, broken: true }, /^its secret is not there, the file is broken$/],
  [{ polling: looks }, /^ready, next look /],
  [{ polling: { ...looks, error: '1 of 2 items have no id' } }, /^ready, 1 of 2 items have no id; next look /],
  [
    { ready: false, polling: failed },
    /^not ready, a.test would be asked .* – list a.test in OVERNIGHT_ALLOW_HOSTS; next look /,
  ],
  [{ ready: false, polling: looks }, /^its secret is not there, next look /],
] as const)('a source in a list: %j', ([more, line]) => {
  expect(stateOf({ ...source, ...more }, 'UTC')).toMatch(line)
})

test.for([
  ['/ops/night', 'webhooks/a.yaml:1:9: "verify" cannot be "nobody"'],
  ['/', 'ops/night/webhooks/a.yaml:1:9: "verify" cannot be "nobody"'],
  ['/ops/nigh', '/ops/night/webhooks/a.yaml:1:9: "verify" cannot be "nobody"'],
] as const)('the file of a problem, seen from %s', ([cwd, line]) => {
  expect(fromHere('/ops/night/webhooks/a.yaml:1:9: "verify" cannot be "nobody"', cwd)).toBe(line)
})
