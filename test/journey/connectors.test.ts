import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openModel, realKey, use, type Model } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { openCrew, sandboxes, until, type Crew } from '../support/crew.ts'
import { openMcpServer, type McpServer } from '../support/mcp-server.ts'
import { openPlace } from '../support/place.ts'

// What an agent has of the MCP servers of its routine, and what it never has.
const secret = 'lin_api_planted_0123456789'
let server: McpServer
let crew: Crew
let model: Model
/** Names of the tools that the model was told of, at its first answer. */
const offered: string[] = []
beforeAll(async () => {
  server = await openMcpServer({ tools: ['search', 'delete'], events: true })
  model = await openModel({
    connected: ({ step, request }) => {
      if (step > 0) return { content: 'Found it.' }
      offered.push(...(request.tools ?? []).map((tool) => tool.function.name))
      return use('mcp__linear__search', { q: 'night' })
    },
  })
  crew = await openCrew({
    PATH: `${claude.folder}:${process.env['PATH'] ?? ''}`,
    ANTHROPIC_API_KEY: realKey,
    ANTHROPIC_BASE_URL: model.url,
    OVERNIGHT_ALLOW_HOSTS: server.host,
    OVERNIGHT_SECRET_LINEAR: secret,
    OVERNIGHT_SECRET_LINEAR_HOSTS: server.host,
    OVERNIGHT_SECRET_NOWHERE: secret,
    OVERNIGHT_SECRET_LINES: `${secret}\r\nX-Admin: yes`,
    OVERNIGHT_SECRET_LINES_HOSTS: server.host,
  })
  const folder = join(crew.place.routines, '..', 'connectors')
  mkdirSync(folder)
  const write = (name: string, text: string) => writeFileSync(join(folder, `${name}.yaml`), text)
  write('linear', `url: ${server.url}\nheaders: { Authorization: "Bearer secret:LINEAR" }\ntools: [search]\n`)
  write('absent', `url: ${server.url}\nheaders: { Authorization: "Bearer secret:ABSENT" }\n`)
  write('nowhere', `url: ${server.url}\nheaders: { Authorization: "Bearer secret:NOWHERE" }\n`)
  write('lines', `url: ${server.url}\nheaders: { Authorization: "Bearer secret:LINES" }\n`)
  write('private', `url: https://10.0.0.1/mcp\n`)
  // All of them are read in one look.
  await until(20, async () => {
    const { connectors } = await crew.service.get<{ connectors: { connector: string }[] }>('/v1/connectors')
    return connectors.some(({ connector }) => connector === 'private') ? [] : ['not read yet']
  })
})
afterAll(async () => {
  await crew[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** An agent that finds its connector in the file, lists its tools, calls one that it may and one that it may not, and writes down all it heard. */
const program = `
const { readFileSync, writeFileSync } = require('node:fs')
const { mcpServers } = JSON.parse(readFileSync(process.env.OVERNIGHT_CONNECTORS_FILE, 'utf8'))
const { type, url, headers } = mcpServers.linear
const heard = [Object.keys(mcpServers).join(), type]
const ask = async (method, params, to = url) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const answer = await fetch(to, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body })
  heard.push(answer.status + ' ' + (await answer.text()).trim())
}
;(async () => {
  await ask('tools/list')
  await ask('tools/call', { name: 'search', arguments: { q: 'night' } })
  await ask('tools/call', { name: 'delete' })
  await ask('tools/call', { name: 'search' }, url.replace('linear', 'absent'))
  writeFileSync('heard.txt', heard.join('\\n'))
})()`

describe.for(sandboxes)('$title', ({ sandbox, skip }) => {
  test.skipIf(skip)('an agent has the tools that are listed, and never the secret', async () => {
    const ended = await crew.run(`connected-${sandbox}`, {
      command: ['node', '-e', program],
      more: { sandbox, allow_trifecta: sandbox === 'process', connectors: ['linear'] },
    })
    expect(ended).toMatchObject({ state: 'published' })
    const heard = await crew.diff(ended.run)
    expect(heard).toMatch(/^\+linear$/m)
    expect(heard).toMatch(/^\+http$/m)
    expect(heard).toContain('"tools":[{"name":"search",')
    expect(heard).toContain(String.raw`search {\"q\":\"night\"} for Bearer [secret LINEAR]`)
    expect(heard).toContain('overnight: the tool delete of the connector linear is not allowed in this run')
    expect(heard).toMatch(/^\+401 .*this is no connector of this run/m)
    expect(heard).not.toContain('"name":"delete"')
    expect(heard).not.toContain('planted')
    expect(server.calls).toEqual(['search'])
    server.calls.length = 0
    const events = await (await crew.service.fetch(`/v1/runs/${ended.run}/events?follow=no`)).text()
    expect(events).toContain('connector linear: refused delete: it is not allowed in this run')
    expect(events).toContain('connector linear: search ×1, refused delete ×1')
  })

  test.skipIf(skip || claude.skip)(`Claude Code calls them${claude.note}`, async () => {
    offered.length = 0
    const ended = await crew.run(`claude-${sandbox}`, {
      prompt: 'SCENARIO:connected please',
      more: { engine: 'claude', sandbox, allow_trifecta: sandbox === 'process', connectors: ['linear'] },
    })
    expect(ended).toMatchObject({ state: 'unchanged' })
    expect(offered.filter((name) => name.startsWith('mcp__'))).toEqual(['mcp__linear__search'])
    expect(server.calls).toEqual(['search'])
    server.calls.length = 0
    expect(await crew.said(ended.run)).toContain('Found it.')
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
  const env = {
    OVERNIGHT_ALLOW_HOSTS: server.host,
    OVERNIGHT_SECRET_LINEAR: secret,
    OVERNIGHT_SECRET_LINEAR_HOSTS: server.host,
  }
  const ended = await place.overnight(['run', file, '--json'], { env })
  expect(JSON.parse(ended.stdout)).toMatchObject({ state: 'published' })
  expect(ended.stderr).toContain('connector linear: search ×1, refused delete ×1')
  expect(server.calls).toEqual(['search'])
})
