import { LLMock, type ChatCompletionRequest, type FixtureResponse } from '@copilotkit/aimock'

/** The only key it takes. */
export const realKey = 'sk-ant-api03-planted-in-the-house-and-nowhere-else'
/** What every answer says it used, unless it says otherwise. */
const usage = { input_tokens: 1000, output_tokens: 200 }

type Asked = {
  /** Answers the agent has got since its prompt. */
  step: number
  /** What follows `CWD=` in the prompt. */
  cwd: string
  request: ChatCompletionRequest
}
/** Answers a conversation whose prompt holds `SCENARIO:<name>`. */
export type Scenarios = Record<string, (asked: Asked) => FixtureResponse>

export type Model = AsyncDisposable & {
  url: string
  /** Requests that were answered or refused by now. */
  requests(): { status: number }[]
  /** From now on: no scenario is looked at, and every connection is treated like this. */
  chaos(how: { disconnectRate?: number; malformedRate?: number; dropRate?: number }): void
}

/** A model that says what it is told to, behind the real API's address, on loopback. */
export async function openModel(scenarios: Scenarios): Promise<Model> {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent', auth: { apiKeys: [realKey] } })
  mock.on({ predicate: () => true }, (request) => {
    const start = request.messages.findLastIndex(
      (message) => message.role === 'user' && marker.test(textOf(message.content)),
    )
    const prompt = textOf(request.messages[start]?.content)
    const scenario = scenarios[marker.exec(prompt)?.[1] ?? '']
    if (!scenario)
      return {
        error: { message: `no scenario in ${prompt.slice(0, 200)}`, type: 'invalid_request_error' },
        status: 400,
      }
    const step = request.messages.slice(start + 1).filter((message) => message.role === 'assistant').length
    return { usage, ...scenario({ step, cwd: /CWD=(\S+)/.exec(prompt)?.[1] ?? '/', request }) }
  })
  const url = await mock.start()
  return {
    url,
    requests: () => mock.getRequests().map(({ response }) => ({ status: response.status })),
    chaos: (how) => void mock.setChaos(how),
    [Symbol.asyncDispose]: () => mock.stop(),
  }
}

const marker = /SCENARIO:(\w+)/
const textOf = (content: unknown) => (typeof content === 'string' ? content : JSON.stringify(content ?? ''))

/** A tool the model asks for. */
export function use(name: string, input: object, content?: string): FixtureResponse {
  const call = { name, arguments: JSON.stringify(input), id: `toolu_${name}_${Math.random().toString(36).slice(2)}` }
  return content === undefined ? { toolCalls: [call] } : { content, toolCalls: [call] }
}
