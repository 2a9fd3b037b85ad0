import { describe, expect, test } from 'vitest'
import { filterAnswer } from '../../../src/relay/mcp/filter.ts'
import { toolsOfRun } from '../../../src/relay/mcp/tools-of-run.ts'
import { createRedaction } from '../../../src/secrets/redaction.ts'

const redaction = createRedaction()
redaction.learn({ name: 'LINEAR', value: 'lin_api_"planted"/0123456789' })
redaction.learn({ name: 'NUMBER', value: '7777788888' })
const { mayShow } = toolsOfRun({ mayCall: (tool) => tool.startsWith('get'), onlyReads: false })
const filtering = { mayShow, redact: redaction.text }
const filter = (value: unknown) => {
  const found = filterAnswer(JSON.stringify(value), filtering)
  return found && { ...found, value: JSON.parse(found.text) as unknown }
}
const result = (inner: object) => ({ jsonrpc: '2.0', id: 1, result: inner })

describe('what an agent hears of a server', () => {
  test('of its tools those that it may call', () => {
    const tools = [{ name: 'get_issue', inputSchema: {} }, { name: 'delete' }, { name: 5 }, null, 'get_text']
    expect(filter(result({ tools, nextCursor: 'c' }))?.value).toEqual(
      result({ tools: [{ name: 'get_issue', inputSchema: {} }], nextCursor: 'c' }),
    )
  })

  test('of what it can do, the tools', () => {
    const told = result({
      protocolVersion: '2025-06-18',
      capabilities: { prompts: {}, resources: {}, tools: { listChanged: true } },
    })
    expect(filter(told)).toMatchObject({
      answered: [1],
      value: { result: { capabilities: { tools: { listChanged: true } }, protocolVersion: '2025-06-18' } },
    })
    expect(filter(result({ capabilities: { prompts: {} } }))?.value).toEqual(result({ capabilities: {} }))
  })

  test('errors, a ping, and news of calls; nothing else that it asks or tells', () => {
    const message = (method: string) => ({ jsonrpc: '2.0', id: 3, method })
    for (const method of ['ping', 'notifications/progress', 'notifications/tools/list_changed'])
      expect(filter(message(method))?.value).toEqual(message(method))
    for (const method of [
      'sampling/createMessage',
      'elicitation/create',
      'roots/list',
      'notifications/message',
      'constructor',
    ])
      expect(filter(message(method))).toBeUndefined()
    const error = { jsonrpc: '2.0', id: 'a', error: { code: 1, message: 'no' } }
    expect(filter([error, message('roots/list'), 'x'])).toMatchObject({ value: [error], answered: ['a'] })
    expect(filter(['x'])).toBeUndefined()
  })

  test('numbers as they were written', () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"id":12345678901234567890,"rate":1.50}}'
    expect(filterAnswer(text, filtering)?.text).toBe(text)
  })
})

describe('what it does not', () => {
  const value = 'lin_api_"planted"/0123456789'
  const escaped = value.replaceAll(/./g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
  test.for<[string, string]>([
    ['a secret', JSON.stringify(`Bearer ${value}`)],
    ['in escapes that nobody needs', `"${escaped}"`],
    ['in base64', JSON.stringify(Buffer.from(`Bearer ${value}`).toString('base64'))],
    ['in JSON as text', JSON.stringify(JSON.stringify({ authorization: value }))],
    ['in a URL', JSON.stringify(encodeURIComponent(value))],
    ['as a key', `{${JSON.stringify(value)}:1}`],
  ])('%s', ([, json]) => {
    const found = filterAnswer(`{"jsonrpc":"2.0","id":1,"result":{"content":[${json}]}}`, filtering)
    expect(found?.text).toContain('[secret LINEAR]')
    expect(found?.text).not.toMatch(/planted|0123456789/)
  })

  test('a secret that is a number leaves no answer', () => {
    expect(() => filterAnswer('{"jsonrpc":"2.0","id":1,"result":{"content":7777788888}}', filtering)).toThrow(
      SyntaxError,
    )
  })

  test.each(['', 'no', '{"jsonrpc":"2.0"'])('what is no JSON: %j', (text) => {
    expect(() => filterAnswer(text, filtering)).toThrow(SyntaxError)
  })
})
