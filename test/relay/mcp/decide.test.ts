import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide } from '../../../src/relay/mcp/decide.ts'

const asked = { name: 'linear', callsLeft: 100, mayCall: (tool: string) => tool === 'search' }
const ask = (body: string) => decide(Buffer.from(body), asked)
const call = (params: string, id = '1') => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params}}`
const forwarded = (body: string) => {
  const decision = ask(body)
  return 'forward' in decision ? (JSON.parse(decision.forward) as unknown) : decision
}

describe('what goes on to the server', () => {
  test('a call of a listed tool, written anew', () => {
    expect(ask(call('{"name":"search","arguments":{"q":"a"},"_meta":{"progressToken":7}}'))).toEqual({
      forward: call('{"name":"search","arguments":{"q":"a"},"_meta":{"progressToken":7}}'),
      calls: ['search'],
      ids: [1],
    })
  })

  test('as many calls as are left; of a batch with one more, none', () => {
    const two = `[${call('{"name":"search"}', '1')},${call('{"name":"search"}', '2')}]`
    expect(decide(Buffer.from(two), { ...asked, callsLeft: 2 })).toMatchObject({ calls: ['search', 'search'] })
    expect(decide(Buffer.from(two), { ...asked, callsLeft: 1 })).toMatchObject({
      answer: [{ id: 1 }, { id: 2, error: { message: expect.stringContaining('as often as a run may') as string } }],
    })
    expect(
      decide(Buffer.from(call('{}', '1').replace('tools/call', 'ping')), { ...asked, callsLeft: 0 }),
    ).toMatchObject({ ids: [1] })
  })

  test('arguments are an object, also where they are a number of many digits', () => {
    expect(ask(call('{"name":"search","arguments":12345678901234567890}'))).toMatchObject({ refused: ['no call'] })
  })

  test('numbers as they were written', () => {
    const body = call('{"name":"search","arguments":{"id":12345678901234567890,"rate":1.50}}', '9007199254740993')
    expect(ask(body)).toMatchObject({ forward: body })
  })

  test('of a key that is there twice, what was decided upon', () => {
    expect(forwarded(call('{"name":"delete","name":"search"}'))).toMatchObject({ params: { name: 'search' } })
    expect(ask(call('{"name":"search","name":"delete"}'))).toMatchObject({ refused: ['delete'] })
    expect(ask(call('{"n\\u0061me":"delete"}'))).toMatchObject({ refused: ['delete'] })
  })

  test('no key that another reader could take for one of these', () => {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"tools/call","PARAMS":{"name":"delete"},"params":{"name":"search","Name":"delete","ſ":1}}`
    expect(forwarded(body)).toEqual({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search' } })
  })

  test('a client that offers the server nothing, whatever it says', () => {
    const body = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"sampling":{},"roots":{}},"clientInfo":{"name":"a","version":"1"}}}`
    expect(forwarded(body)).toMatchObject({ params: { protocolVersion: '2025-06-18', capabilities: {} } })
  })

  test('what a session needs, in a batch, too; the answer to a ping says nothing', () => {
    const body = `[{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":"p","result":{"secret":1}},{"jsonrpc":"2.0","id":"l","method":"tools/list","params":{"cursor":"x"}}]`
    expect(ask(body)).toEqual({
      forward: `[{"jsonrpc":"2.0","method":"notifications/initialized","params":{}},{"jsonrpc":"2.0","id":"p","result":{}},{"jsonrpc":"2.0","id":"l","method":"tools/list","params":{"cursor":"x"}}]`,
      calls: [],
      ids: ['l'],
    })
  })
})

describe('what does not', () => {
  const code = (body: string) => {
    const decision = ask(body)
    if (!('refused' in decision)) return decision
    return [decision.answer].flat().map((answer) => [answer?.id, answer?.error.code])
  }

  test.for<[what: string, body: string, answers: unknown]>([
    ['another tool', call('{"name":"delete"}'), [[1, -32602]]],
    ['a tool that is none', call('{"name":["search"]}'), [[1, -32602]]],
    ['no tool', call('{}'), [[1, -32602]]],
    ['what every object has', call('{"__proto__":{"name":"search"}}'), [[1, -32602]]],
    ['arguments in a list', call('{"name":"search","arguments":[1]}'), [[1, -32602]]],
    ['parameters in a list', call('["search"]'), [[null, -32600]]],
    ['another method', '{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"file:///"}}', [[2, -32601]]],
    ['another spelling', '{"jsonrpc":"2.0","id":2,"method":"Tools/Call","params":{"name":"delete"}}', [[2, -32601]]],
    ['a method of every object', '{"jsonrpc":"2.0","id":2,"method":"constructor"}', [[2, -32601]]],
    ['a method that is none', '{"jsonrpc":"2.0","id":2,"method":["tools/call"]}', [[null, -32600]]],
    ['another version', '{"jsonrpc":"1.0","id":2,"method":"ping"}', [[null, -32600]]],
    ['an id that is none', '{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}', [[null, -32600]]],
    ['an id that looks like a number', '{"jsonrpc":"2.0","id":{"rawJSON":"1"},"method":"ping"}', [[null, -32600]]],
    ['no id for it', '{"jsonrpc":"2.0","id":null,"method":"ping"}', [[null, -32600]]],
    ['a request and an answer at once', '{"jsonrpc":"2.0","id":2,"method":"ping","result":{}}', [[null, -32600]]],
    ['an error of its client', '{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":"leak"}}', [[null, -32600]]],
    ['no JSON', '{"jsonrpc"', [[null, -32700]]],
    ['two documents', `${call('{"name":"search"}')}${call('{"name":"delete"}')}`, [[null, -32700]]],
    ['too deep', call(`{"name":"search","arguments":{"a":${'['.repeat(1001)}${']'.repeat(1001)}}}`), [[null, -32700]]],
    ['nothing', '', [[null, -32700]]],
    ['an empty batch', '[]', [[null, -32600]]],
    ['a long batch', `[${Array(51).fill('{"jsonrpc":"2.0","method":"ping"}').join(',')}]`, [[null, -32600]]],
    ['a batch in a batch', `[[${call('{"name":"search"}')}]]`, [[null, -32600]]],
  ])('%s', ([, body, answers]) => {
    expect(code(body)).toEqual(answers)
  })

  test('a batch with one part that is refused; who waits is answered', () => {
    const parts = [
      call('{"name":"search"}', '1'),
      call('{"name":"delete"}', '2'),
      '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      'null',
    ]
    expect(code(`[${parts.join(',')}]`)).toEqual([
      [1, -32600],
      [2, -32602],
      [null, -32600],
    ])
  })

  test('a notification is refused in silence', () => {
    expect(ask('{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}')).toEqual({
      answer: undefined,
      refused: ['notifications/roots/list_changed'],
    })
    expect(ask('{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete"}}')).toEqual({
      answer: undefined,
      refused: ['delete'],
    })
  })

  test('what is said of it names the tool and the connector, cut', () => {
    const long = 'x'.repeat(5000)
    expect(ask(call(`{"name":"${long}"}`))).toMatchObject({
      answer: {
        error: { message: `overnight: the tool ${'x'.repeat(100)} of the connector linear is not allowed in this run` },
      },
    })
  })

  const word = fc.constantFrom('search', 'delete', 'tools/call', 'tools/list', '2.0', 'name', 'x')
  const key = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'name', 'arguments', 'Name', '__proto__', 'result')
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 5 }, word, fc.integer(), fc.constant(null), tie('list'), tie('object'), tie('call')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    object: fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }),
    call: fc.record({ jsonrpc: fc.constant('2.0'), id: tie('value'), method: word, params: tie('value') }),
  }))
  /** What is hardly ever made by chance: calls as they should be, of tools that are listed and that are not. */
  const name = fc.record({ name: word })
  const params = fc.oneof(name, fc.record({ name: word, Name: word, arguments: name }))
  const method = fc.constant('tools/call')
  const proper = fc.record({ jsonrpc: fc.constant('2.0'), id: fc.integer(), method, params })
  const sent = fc.oneof(value, proper, fc.array(proper, { minLength: 1, maxLength: 3 }))
  /** With keys that are there twice, which no value of this language has. */
  const write = (one: unknown): string => {
    if (
      Array.isArray(one) &&
      one.length > 0 &&
      one.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string' && pair.length === 2)
    )
      return `{${one.map(([name, inner]: [unknown, unknown]) => `${JSON.stringify(String(name))}:${write(inner)}`).join(',')}}`
    if (Array.isArray(one)) return `[${one.map(write).join(',')}]`
    if (typeof one === 'object' && one !== null)
      return `{${Object.entries(one)
        .map(([name, inner]) => `${JSON.stringify(name)}:${write(inner)}`)
        .join(',')}}`
    return JSON.stringify(one)
  }
  const callsIn = (text: string) => {
    const names: unknown[] = []
    JSON.parse(text, (_key, part: { method?: unknown; params?: { name?: unknown } } | null) => {
      if (part?.method === 'tools/call') names.push(part.params?.name)
      return part
    })
    return names
  }

  test('whatever is sent: no call of another tool goes on', () => {
    fc.assert(
      fc.property(sent, (anything) => {
        const decision = ask(write(anything))
        if (!('forward' in decision)) return
        const sent = JSON.parse(decision.forward) as unknown
        const messages = [sent].flat() as { method?: string; params?: { name?: string } }[]
        const calls = messages.filter(({ method }) => method === 'tools/call')
        expect(calls.every(({ params }) => params?.name === 'search')).toBe(true)
        const known = ['jsonrpc', 'id', 'method', 'params', 'result']
        expect(messages.flatMap(Object.keys).filter((name) => !known.includes(name))).toEqual([])
        expect(decision.calls.every((tool) => tool === 'search')).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('whatever bytes are sent, there is a decision', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decision = decide(Buffer.from(bytes), asked)
        expect('forward' in decision ? callsIn(decision.forward) : []).toEqual([])
      }),
    )
  })
})
