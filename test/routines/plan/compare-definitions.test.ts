import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { comparePlan } from '../../../src/routines/plan/compare.ts'
import { compareSources } from '../../../src/routines/plan/compare-definitions.ts'
import { planMarkdown, planText } from '../../../src/routines/plan/write-plan.ts'
import { senders } from '../../../src/routines/webhooks/senders.ts'
import { readDefinitionTexts } from '../../../src/routines/definitions/definitions.ts'
import { connectorKind } from '../../../src/routines/connectors/connectors.ts'
import { readGood, routineText } from '../reading/reading.ts'
import { sourceKind } from '../../../src/routines/webhooks/sources.ts'

type Texts = Readonly<Record<string, string>>
const read = (texts: Texts) =>
  readDefinitionTexts(
    sourceKind,
    Object.entries(texts).map(([entry, text]) => ({ entry, text })),
  )
const compare = (before: Texts, after: Texts) => compareSources({ inForce: read(before).inForce, files: read(after) })
const signed = 'verify: sentry\nsecret: secret:SENTRY\n'
const asked = 'poll: { url: "https://ci.example/jobs", every: 5m, headers: { Authorization: "Bearer secret:CI" } }\n'

describe('a plan of webhook sources', () => {
  test('tells what would be added, changed, removed and broken, and what that means', () => {
    const before = { 'gone.yaml': signed, 'odd.yaml': signed, 'same.yaml': signed, 'sentry.yaml': signed }
    const after = {
      'ci.yaml': asked,
      'new.yaml': 'verify: nobody\n',
      'odd.yaml': 'x',
      'same.yml': signed,
      'sentry.yaml': signed.replace('secret:SENTRY', '[secret:NEW, secret:SENTRY]'),
    }
    const sources = compare(before, after)
    expect(sources.map(({ name, change, stays }) => [name, change, stays])).toEqual([
      ['ci', 'added', false],
      ['gone', 'removed', false],
      ['new', 'broken', false],
      ['odd', 'broken', true],
      ['sentry', 'changed', false],
    ])
    expect(sources[4]!.facts).toEqual([
      { what: 'secrets', before: 'secret:SENTRY', after: 'secret:NEW, secret:SENTRY' },
    ])
    const files = { routines: [], broken: new Map(), problems: [] }
    const from = { inForce: read(before).inForce, files: read(after) }
    const plan = comparePlan({ inForce: [], same: ['a'], files, nextOf: () => [], sources: from })
    const text = planText(plan)
    expect(text).toContain(
      '+ webhooks/ci (added)\n    asks     https://ci.example/jobs every 5m, id of the answer\n    sends    Authorization: Bearer secret:CI\n',
    )
    expect(text).toContain('! webhooks/new (broken: it would not be in force)\n    new.yaml:1:9: "verify" cannot be')
    expect(text).toContain('! webhooks/odd (broken: its last good version stays)')
    expect(text.endsWith('; webhook sources: 1 added, 1 removed, 2 broken, 1 changed\n')).toBe(true)
    expect(planMarkdown(plan)).toContain('+ webhooks/ci (added)')
    expect(planMarkdown(comparePlan({ inForce: [], same: ['a'], files, nextOf: () => [] }))).toContain('nothing would')
  })

  test('knows that two files of one name are none', () => {
    expect(compare({ 'a.yaml': signed }, { 'a.yaml': signed, 'a.yml': signed })).toMatchObject([
      { name: 'a', change: 'broken', stays: true, problems: { length: 2 } },
    ])
  })

  const hmac = fc.record({
    header: fc.constantFrom('X-A', 'X-B'),
    prefix: fc.constantFrom('', 'sha256='),
    algorithm: fc.constantFrom('sha1', 'sha512'),
    encoding: fc.constantFrom('hex', 'base64'),
    key: fc.constantFrom('text', 'base64'),
    time: fc.constantFrom('', 'timestamp: { part: t= }', 'timestamp: { header: X-T }, tolerance: 10m'),
  })
  const aWay = fc.oneof(
    fc.constantFrom(...Object.keys(senders), 'bearer', '{ token: { header: X-Token } }'),
    hmac.map(({ time, ...plain }) => {
      const body = time === '' ? '{body}' : '{ts}.{body}'
      return `{ hmac: { ${[...Object.entries(plain).map(([key, value]) => `${key}: "${value}"`), `signed: "${body}"`, time].filter(Boolean).join(', ')} } }`
    }),
  )
  const aSource = fc
    .tuple(
      aWay,
      fc.constantFrom('secret:A', '[secret:A, secret:B]'),
      fc.constantFrom('', 'description: Ours\n', 'id: { body: a.b }\n', 'event: [{ header: X-E }, { body: e }]\n'),
      fc.constantFrom(
        '',
        asked,
        asked.replace('5m', '6m'),
        asked.replace('headers', 'id: number, items: list, headers'),
      ),
    )
    .map(([way, secret, more, poll]) => `verify: ${way}\nsecret: ${secret}\n${more}${poll}`)

  test('whatever is written: what counts as another source is told, and what is the same is not', () => {
    fc.assert(
      fc.property(aSource, aSource, (before, after) => {
        const sourceIn = (text: string) => JSON.stringify(read({ 'a.yaml': text }).inForce.get('a'))
        expect(sourceIn(before)).toBeDefined()
        const found = compare({ 'a.yaml': before }, { 'a.yaml': after })
        expect(found).toHaveLength(sourceIn(before) === sourceIn(after) ? 0 : 1)
      }),
      { numRuns: 300 },
    )
  })
})

test('a plan of connectors tells where they ask, what they send and which tools there are; and what routines have of them', () => {
  const url = 'url: https://mcp.example/\n'
  const readAll = (texts: Texts) =>
    readDefinitionTexts(
      connectorKind,
      Object.entries(texts).map(([entry, text]) => ({ entry, text })),
    )
  const before = readAll({ 'linear.yaml': `${url}tools: [get_issue]\n`, 'gone.yaml': url })
  const after = readAll({
    'linear.yaml': `${url}headers: { Authorization: "Bearer secret:LINEAR" }\n`,
    'new.yaml': `description: Errors\n${url}`,
    'odd.yaml': 'url: x\n',
  })
  const connected = readGood(routineText('connectors: [linear, { name: new, tools: [a, "b*"] }]'))
  const files = { routines: [connected], broken: new Map(), problems: [] }
  const plan = comparePlan({
    inForce: [],
    same: [],
    files,
    nextOf: () => [],
    connectors: { inForce: before.inForce, files: after },
  })
  const text = planText(plan)
  expect(text).toContain('    tools    linear; new (a, b*)\n')
  expect(text).toContain('- connectors/gone (removed)\n    asks     https://mcp.example/\n    tools    every tool\n')
  expect(text).toContain(
    '~ connectors/linear (changed)\n    sends    none → Authorization: Bearer secret:LINEAR\n    tools    get_issue → every tool\n',
  )
  expect(text).toContain('+ connectors/new (added)\n    about    Errors\n')
  expect(text).toContain('! connectors/odd (broken: it would not be in force)')
  expect(text.endsWith('; connectors: 1 removed, 1 changed, 1 added, 1 broken\n')).toBe(true)
})

test.each([
  ['{ name: linear, tools: [delete] }', ['the connector linear does not allow the tool "delete" – known here: search']],
  ['linar', ['there is no connector "linar" – did you mean "linear"?']],
  ['{ name: linear, tools: [search] }', []],
  ['odd', []],
])('a routine that would have the connector %s', (connector, problems) => {
  const texts = { 'linear.yaml': 'url: https://mcp.example/\ntools: [search]\n', 'odd.yaml': 'url: x\n' }
  const files = readDefinitionTexts(
    connectorKind,
    Object.entries(texts).map(([entry, text]) => ({ entry, text })),
  )
  const routines = [readGood(routineText(`connectors: [${connector}]`))]
  const proposed = { inForce: [], same: [], files: { routines, broken: new Map(), problems: [] }, nextOf: () => [] }
  const { routines: planned } = comparePlan({ ...proposed, connectors: { inForce: new Map(), files } })
  expect(planned).toMatchObject([
    { change: 'added', problems: problems.map((one) => expect.stringContaining(one) as string) },
  ])
  // Nobody said which connectors there are.
  expect(comparePlan(proposed).routines).toMatchObject([{ problems: [] }])
})
