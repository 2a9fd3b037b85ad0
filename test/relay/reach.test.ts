import { expect, test } from 'vitest'
import { reachesOut } from '../../src/relay/reach.ts'

const image = (source: object) => ({ messages: [{ role: 'user', content: [{ type: 'image', source }] }] })

test.for([
  ['a server-side search', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'web_search'],
  ['a server-side fetch', { tools: [{ name: 'Bash' }, { type: 'web_fetch_20260101', name: 'x' }] }, 'web_fetch'],
  ['code that runs there', { tools: [{ type: 'code_execution_20260101' }] }, 'code_execution'],
  ['a tool of tomorrow', { tools: [{ type: 'teleport_20270101' }] }, 'teleport'],
  ['a tool whose type is no word', { tools: [{ type: { toString: 'custom' } }] }, 'tool'],
  ['a toolset on another server', { tools: [{ type: 'mcp_toolset', mcp_server_name: 'x' }] }, 'mcp_toolset'],
  ['a remote MCP server', { mcp_servers: [{ type: 'url', url: 'https://thief.example' }] }, 'mcp_servers'],
  ['one that is not in a list', { mcp_servers: { type: 'url', url: 'https://thief.example' } }, 'mcp_servers'],
  ['a container', { container: 'container_1' }, 'container'],
  ['an image to be fetched', image({ type: 'url', url: 'https://thief.example/?secret' }), 'URL'],
  [
    'a document to be fetched, in what a tool answered',
    {
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              content: [{ type: 'document', source: { type: 'url', url: 'https://thief.example' } }],
            },
          ],
        },
      ],
    },
    'URL',
  ],
] as const)('%s reaches out', ([, request, named]) => {
  expect(reachesOut(request)).toContain(named)
})

test.for([
  ['nothing but words', { messages: [{ role: 'user', content: 'see https://example.com' }], system: 'be nice' }],
  [
    'tools the agent carries out',
    { tools: [{ name: 'Bash', input_schema: {} }, { type: 'custom' }, { type: 'bash_20250124' }] },
  ],
  ['a search among them', { tools: [{ type: 'tool_search_tool_regex_20251119' }] }],
  ['an image that is here', image({ type: 'base64', data: 'AAAA' })],
  ['no servers', { mcp_servers: [], container: null, tools: null }],
  [
    'words the model wrote for a tool',
    { messages: [{ content: [{ type: 'tool_use', input: { source: { type: 'url', url: 'https://example.com' } } }] }] },
  ],
] as const)('%s does not', ([, request]) => {
  expect(reachesOut(request)).toBeUndefined()
})

test('a request as deep as a stack is read all the same', () => {
  let content: object = { source: { type: 'url' } }
  for (let depth = 0; depth < 100_000; depth += 1) content = [content]
  expect(reachesOut({ messages: content })).toContain('URL')
})
