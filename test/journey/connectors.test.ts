import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  connectedScenarios,
  connectedStories,
  connectorEnv,
  connectorSecret,
  program,
  writeConnectors,
} from '../contract/connected.ts'
import { openModel, realKey, type Model } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { openCrew, sandboxes, type Crew } from '../support/crew.ts'
import { openMcpServer, type McpServer } from '../support/mcp-server.ts'
import { openPlace } from '../support/place.ts'

// What an agent has of the MCP servers of its routine, and what it never has.
let server: McpServer
let crew: Crew
let model: Model
beforeAll(async () => {
  server = await openMcpServer({ tools: ['search', 'delete'], events: true })
  model = await openModel(connectedScenarios)
  crew = await openCrew({
    ...connectorEnv(server),
    PATH: `${claude.folder}:${process.env['PATH'] ?? ''}`,
    ANTHROPIC_API_KEY: realKey,
    ANTHROPIC_BASE_URL: model.url,
    OVERNIGHT_SECRET_NOWHERE: connectorSecret,
    OVERNIGHT_SECRET_LINES: `${connectorSecret}\r\nX-Admin: yes`,
    OVERNIGHT_SECRET_LINES_HOSTS: server.host,
  })
  const sends = (secret: string) => `url: ${server.url}\nheaders: { Authorization: "Bearer secret:${secret}" }\n`
  await writeConnectors(crew, server, {
    absent: sends('ABSENT'),
    nowhere: sends('NOWHERE'),
    lines: sends('LINES'),
    private: 'url: https://10.0.0.1/mcp\n',
  })
})
afterAll(async () => {
  await crew[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

describe.for(sandboxes)('$title', ({ sandbox, skip }) => {
  describe.skipIf(skip)('an agent', () => {
    connectedStories(
      sandbox,
      () => crew,
      () => server,
    )
  })
})

test.for<[what: string, connectors: unknown[], said: RegExp]>([
  ['a connector that is none', ['lineal'], /there is no connector "lineal" – did you mean "linear"\?/],
  [
    'a tool that is not allowed',
    [{ name: 'linear', tools: ['delete'] }],
    /the connector linear does not allow the tool "delete"/,
  ],
  [
    'a secret that is not there',
    ['absent'],
    /the connector absent: secret:ABSENT is not there – set OVERNIGHT_SECRET_ABSENT/,
  ],
  [
    'a secret that may not go there',
    ['nowhere'],
    /the connector nowhere: secret:NOWHERE is not sent to 127\.0\.0\.1:\d+ – list /,
  ],
  ['a secret of two lines', ['lines'], /the connector lines: a secret in the header Authorization has a line end/],
  [
    'a private address',
    ['private'],
    /the connector private: 10\.0\.0\.1 is not a public address – use a public one, or list/,
  ],
])('%s ends the run before its agent starts', async ([what, connectors, said]) => {
  const name = what.replaceAll(' ', '-')
  const ended = await crew.run(name, {
    sh: 'echo started',
    more: { sandbox: 'process', allow_trifecta: true, connectors },
  })
  expect(ended).toMatchObject({ state: 'failed', reason: 'connector' })
  expect(ended.message).toMatch(said)
  expect(await crew.said(ended.run)).toBe('')
})

test('a command that waits for no service has the files beside the routines, as they are', async () => {
  using place = await openPlace()
  mkdirSync(join(place.routines, '..', 'connectors'))
  writeFileSync(
    join(place.routines, '..', 'connectors', 'linear.yaml'),
    `url: ${server.url}\nheaders: { Authorization: "Bearer secret:LINEAR" }\ntools: [search]\n`,
  )
  const file = place.routine('alone', {
    program,
    more: { sandbox: 'process', connectors: ['linear'] },
  })
  const env = connectorEnv(server)
  const ended = await place.overnight(['run', file, '--json'], { env })
  expect(JSON.parse(ended.stdout)).toMatchObject({ state: 'published' })
  expect(ended.stderr).toContain('connector linear: search ×1, refused delete ×1')
  expect(server.calls).toEqual(['search'])
})
