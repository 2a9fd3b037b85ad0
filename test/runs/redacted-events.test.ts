import { expect, test } from 'vitest'
import type { EngineEvent } from '../../src/engines/engine.ts'
import { redactEvents } from '../../src/runs/redacted-events.ts'
import { createRedaction } from '../../src/secrets/redaction.ts'

const value = 'kx-Zq7Lw9mT4v'
const text = (words: string) => ({ type: 'text' as const, text: words })
const say = (words: string): EngineEvent => ({ sessionUpdate: 'agent_message_chunk', content: text(words) })
const think = (words: string): EngineEvent => ({ sessionUpdate: 'agent_thought_chunk', content: text(words) })
const print = (stream: 'stdout' | 'stderr', words: string): EngineEvent => ({ ...say(words), stream }) as EngineEvent
const call = (title: string, words = ''): EngineEvent => ({
  sessionUpdate: 'tool_call',
  status: 'in_progress',
  toolCallId: 'a',
  kind: 'execute',
  title,
  content: [{ type: 'content', content: text(words) }],
})
const usage: EngineEvent = { sessionUpdate: 'usage_update', cost: { amount: 1, currency: 'USD' } }
const end: EngineEvent = { stopped: { because: 'exit', code: 0, signal: null } }

async function told(...events: EngineEvent[]): Promise<EngineEvent[]> {
  const redaction = createRedaction()
  redaction.learn({ name: 'KEY', value })
  async function* given() {
    yield* events
  }
  return Array.fromAsync(redactEvents(given(), redaction))
}

test('a value that is said in pieces is replaced, also when what it costs is told between them', async () => {
  expect(await told(say('it is kx-Zq'), usage, say('7Lw9mT4v!'), end)).toEqual([
    say('it is '),
    usage,
    say('[secret KEY]!'),
    end,
  ])
})

test('the two streams of a program are two texts, however they are mixed', async () => {
  const events = [
    print('stdout', 'a kx-Zq7'),
    print('stderr', 'kx-'),
    print('stdout', 'Lw9mT4v b'),
    print('stderr', '-no'),
  ]
  expect(await told(...events, end)).toEqual([
    print('stdout', 'a '),
    print('stdout', '[secret KEY] b'),
    print('stderr', 'kx--no'),
    end,
  ])
})

test('a whole line does not wait for the next one, nor do lines of two streams change places', async () => {
  const lines = [print('stderr', 'back\n'), print('stdout', 'done k\n'), print('stdout', 'Lw')]
  expect(await told(...lines, end)).toEqual([...lines, end])
})

test('what an agent said is told in full before what it does next', async () => {
  expect(await told(say('I use k'), call('run k'), think('k'), say('x-'), end)).toEqual([
    say('I use '),
    say('k'),
    call('run k'),
    think('k'),
    say('x-'),
    end,
  ])
})

test('calls of tools and endings are redacted', async () => {
  const failure = { reason: 'model_refused' as const, message: `no ${value}`, mayRepeat: false }
  const stopped = { because: 'exit' as const, code: 1, signal: null, failure }
  expect(await told(call(`curl -H ${value}`, `200 ${value}`), { stopped })).toEqual([
    call('curl -H [secret KEY]', '200 [secret KEY]'),
    { stopped: { ...stopped, failure: { ...failure, message: 'no [secret KEY]' } } },
  ])
})
