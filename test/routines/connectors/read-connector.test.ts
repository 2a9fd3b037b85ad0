import { describe, expect, test } from 'vitest'
import { lintConnectors } from '../../../src/routines/connectors/lint-connectors.ts'
import { readDefinitionTexts } from '../../../src/routines/definitions/definitions.ts'
import { connectorKind } from '../../../src/routines/connectors/connectors.ts'
import { readConnector } from '../../../src/routines/connectors/read-connector.ts'
import { formatProblem } from '../../../src/routines/format.ts'
import { readGood, readOptions } from '../reading/reading.ts'
import { readRoutine } from '../../../src/routines/reading/read.ts'

const bad = (text: string, name = 'linear.yaml') => {
  const read = readConnector(name, text)
  return 'problems' in read ? read.problems.map(formatProblem) : read
}
const url = 'url: https://mcp.linear.example/mcp\n'

describe('a connector file', () => {
  test('with everything, and with nothing but an address', () => {
    const text = `description: Issues\n${url}headers: { Authorization: "Bearer secret:LINEAR", X-Team: a secret:B secret:C }\ntools: [get_issue, "search_*"]\n`
    expect(readConnector('/c/linear.yaml', text)).toEqual({
      defined: {
        name: 'linear',
        file: '/c/linear.yaml',
        description: 'Issues',
        url: 'https://mcp.linear.example/mcp',
        headers: { Authorization: 'Bearer secret:LINEAR', 'X-Team': 'a secret:B secret:C' },
        tools: ['get_issue', 'search_*'],
      },
    })
    expect(readConnector('/c/a.yml', url)).toMatchObject({ defined: { name: 'a', headers: {}, tools: null } })
  })

  test.for<[what: string, text: string, ...said: string[]]>([
    ['nothing', '', '1:1: "url" is missing – write url: …'],
    ['another key', `${url}tool: [a]`, '2:1: unknown key "tool" – did you mean "tools"?'],
    ['no address', 'url: linear', '1:6: "url" must be an address such as https://host/path'],
    ['a file', 'url: file:///etc/passwd', '1:6: "url" must be an address such as https://host/path'],
    [
      'a user in it',
      'url: https://me:pass@mcp.example/',
      '1:6: there is a user or a password in the address – take it out, and write headers: { Authorization: "Basic secret:NAME" }',
    ],
    [
      'a secret in it',
      'url: https://mcp.example/mcp?key=secret:LINEAR',
      '1:6: a secret is not filled in here: secret:LINEAR would be sent as it is written – write it under headers:, such as { Authorization: "Bearer secret:LINEAR" }',
    ],
    [
      'a fragment',
      'url: https://mcp.example/#x',
      '1:6: there is a fragment in the address – take # out, and what follows it',
    ],
    [
      'a credential',
      `${url}headers: { Authorization: Bearer abc }`,
      '2:27: a credential must not stand in this file – write secret:NAME in its place, such as "Bearer secret:NAME"',
    ],
    [
      'a header of ours',
      `${url}headers: { Mcp-Session-Id: a }`,
      '2:12: the header Mcp-Session-Id is set for each request – take it out',
    ],
    [
      'another host',
      `${url}headers: { HOST: evil.example }`,
      '2:12: the header HOST is set for each request – take it out',
    ],
    [
      'a header twice',
      `${url}headers: { X-A: a, x-a: b }`,
      '2:20: the header x-a is written twice – remove one of them',
    ],
    ['no name of a header', `${url}headers: { "X-A: b": a }`, '2:12: "X-A: b" is no name of a header'],
    [
      'two lines',
      `${url}headers: { X-A: "a\\r\\nX-B: b" }`,
      '2:17: "headers.X-A" must be one line of plain characters',
    ],
    ['an empty list', `${url}tools: []`, '2:8: "tools" must have an entry'],
    [
      'no name of a tool',
      `${url}tools: ["a b"]`,
      '2:9: "tools.0" must be the name of a tool, or a pattern such as get_*',
    ],
    ['a key twice', `${url}${url}`, '2:1: '],
  ])('%s', ([, text, ...said]) => {
    expect(bad(text)).toEqual(said.map((one) => expect.stringContaining(`linear.yaml:${one}`) as string))
  })

  test.each(['Linear.yaml', '-a.yaml', 'a b.yaml', 'a..b.yaml', `${'a'.repeat(64)}.yaml`])('%s is no name', (name) => {
    expect(bad(url, name)).toEqual([expect.stringContaining('cannot be the name of a connector – rename the file')])
  })
})

const routineText = (connectors: string, more = '') =>
  `---\nrepository: acme/shop\nengine: claude\n${more}connectors: ${connectors}\n---\nDo it.\n`

describe('the connectors of a routine', () => {
  test('as they are written', () => {
    expect(readGood(routineText('[linear, { name: sentry, tools: [search_*] }]')).connectors).toEqual([
      { name: 'linear', tools: null },
      { name: 'sentry', tools: ['search_*'] },
    ])
  })

  test.for([
    ['[linear, { name: linear, tools: [a] }]', '4:22: the connector linear is written twice – remove one of them'],
    ['[../x]', '4:14: "connectors.0" must be the name of a file in connectors/, without .yaml'],
    ['[{ name: a, tools: [] }]', '4:32: "connectors.0.tools" must have an entry'],
  ] as const)('%s', ([written, said]) => {
    const read = readRoutine('x.md', routineText(written), readOptions)
    expect('problems' in read ? read.problems.map(formatProblem) : []).toEqual([`x.md:${said}`])
  })
})

describe('what a routine cannot have', () => {
  const files = readDefinitionTexts(connectorKind, [
    { entry: 'linear.yaml', text: `${url}tools: [get_issue, "search_*"]\n` },
    { entry: 'open.yaml', text: url },
    { entry: 'broken.yaml', text: 'url: x\n' },
  ])
  const lint = (connectors: string, more = '', among = files) => {
    const read = readRoutine('x.md', routineText(connectors, more), readOptions)
    return 'routine' in read ? lintConnectors([read.routine], among).map(formatProblem) : read
  }
  const strangers = 'on: { github: { event: issues } }\n'

  test.for<[connectors: string, more: string, said: string[]]>([
    ['[linear, broken]', '', []],
    ['[{ name: linear, tools: [search_issues, "search_*"] }]', '', []],
    ['[linar]', '', ['x.md:4:14: there is no connector "linar" – did you mean "linear"?']],
    [
      '[{ name: linear, tools: [get_issue, get_isue] }]',
      '',
      ['x.md:4:22: the connector linear does not allow the tool "get_isue" – did you mean "get_issue"?'],
    ],
    ['[linear, { name: open, tools: [read] }]', strangers, []],
    ['[open]', `${strangers}allow_trifecta: true\n`, []],
    ...['[open]', '[{ name: open, tools: ["*"] }]', '[{ name: open, tools: ["*_issue"] }]'].map(
      (connectors): [string, string, string[]] => [
        connectors,
        '',
        [
          expect.stringMatching(
            /^x\.md:4:\d+: whoever writes what the agent reads .* every tool of open – list the tools/,
          ) as string,
        ],
      ],
    ),
    ['[{ name: open, tools: ["list_*"] }]', '', []],
  ])('%s %s', ([connectors, more, said]) => {
    expect(lint(connectors, more)).toEqual(said)
  })

  test('without any file, the one to write is named', () => {
    const none = readDefinitionTexts(connectorKind, [])
    expect(lint('[linear]', '', none)).toEqual([
      'x.md:4:14: there is no connector "linear" – write connectors/linear.yaml',
    ])
  })
})
