import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { use, type Scenarios } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { until, type Crew } from '../support/crew.ts'
import type { McpServer } from '../support/mcp-server.ts'

/** Of the stand-in's connector. */
export const connectorSecret = 'lin_api_planted_0123456789'

/** What a service needs that has the connector `linear` of this server. */
export const connectorEnv = ({ host }: McpServer) => ({
  OVERNIGHT_ALLOW_HOSTS: host,
  OVERNIGHT_SECRET_LINEAR: connectorSecret,
  OVERNIGHT_SECRET_LINEAR_HOSTS: host,
})

/** Writes files of connectors, `linear` with `search` alone among them; resolves when they are in force. */
export async function writeConnectors(
  crew: Crew,
  { url }: McpServer,
  more: Record<string, string> = {},
): Promise<void> {
  const folder = join(crew.place.routines, '..', 'connectors')
  mkdirSync(folder, { recursive: true })
  const linear = `url: ${url}\nheaders: { Authorization: "Bearer secret:LINEAR" }\ntools: [search]\n`
  const files = Object.entries({ linear, ...more })
  for (const [name, text] of files) writeFileSync(join(folder, `${name}.yaml`), text)
  await until(20, async () => {
    const { connectors } = await crew.service.get<{ connectors: unknown[] }>('/v1/connectors')
    return connectors.length === files.length ? [] : ['not read yet']
  })
}

export const connectedScenarios: Scenarios = {
  connected({ step, request }) {
    if (step > 0) return { content: 'Found it.' }
    const names = (request.tools ?? []).map((tool) => tool.function.name).filter((name) => name.startsWith('mcp__'))
    return use('mcp__linear__search', { q: 'night' }, `Of connectors I have ${names.join(' and ')}.`)
  },
}

/** An agent that finds its connector in the file, lists its tools, calls one that it may and one that it may not, and writes down all it heard. */
export const program = `
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

/** What an agent has of the MCP server of its routine, and what it never has. */
export function connectedStories(sandbox: string, crew: () => Crew, server: () => McpServer): void {
  test('an agent has the tools that are listed, and never the secret', async () => {
    const ended = await crew().run(`connected-${sandbox}`, {
      command: ['node', '-e', program],
      more: { sandbox, allow_trifecta: sandbox === 'process', connectors: ['linear'] },
    })
    expect(ended).toMatchObject({ state: 'published' })
    const heard = await crew().diff(ended.run)
    expect(heard).toMatch(/^\+linear$/m)
    expect(heard).toMatch(/^\+http$/m)
    expect(heard).toContain('"tools":[{"name":"search",')
    expect(heard).toContain(String.raw`search {\"q\":\"night\"} for Bearer [secret LINEAR]`)
    expect(heard).toContain('overnight: the tool delete of the connector linear is not allowed in this run')
    expect(heard).toMatch(/^\+401 .*this is no connector of this run/m)
    expect(heard).not.toContain('"name":"delete"')
    expect(heard).not.toContain('planted')
    expect(server().calls).toEqual(['search'])
    server().calls.length = 0
    const events = await (await crew().service.fetch(`/v1/runs/${ended.run}/events?follow=no`)).text()
    expect(events).toContain('connector linear: refused delete: it is not allowed in this run')
    expect(events).toContain('connector linear: search ×1, refused delete ×1')
  })

  test.skipIf(claude.skip)(`Claude Code calls them${claude.note}`, async () => {
    const ended = await crew().run(`claude-${sandbox}`, {
      prompt: 'SCENARIO:connected please',
      more: { engine: 'claude', sandbox, allow_trifecta: sandbox === 'process', connectors: ['linear'] },
    })
    expect(ended).toMatchObject({ state: 'unchanged' })
    expect(server().calls).toEqual(['search'])
    server().calls.length = 0
    const said = await crew().said(ended.run)
    expect(said).toContain('Of connectors I have mcp__linear__search.')
    expect(said).toContain('Found it.')
  })
}
