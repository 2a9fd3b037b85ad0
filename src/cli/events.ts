import type { Client } from './client.ts'

export type ServerEvent = { id: string; event: string; data: string }

/** Events of a run from the beginning; after a broken connection it goes on where it was. Ends with the run. */
export async function* eventsOf(
  client: Client,
  run: string,
  { signal, follow = true }: { signal: AbortSignal; follow?: boolean },
): AsyncGenerator<ServerEvent> {
  let last: string | undefined
  for (let failures = 0; failures < 20 && !signal.aborted; failures++) {
    try {
      const answer = await client.request(`/v1/runs/${run}/events${follow ? '' : '?follow=no'}`, {
        signal,
        ...(last === undefined ? {} : { headers: { 'last-event-id': last } }),
      })
      if (!answer.ok || !answer.body) throw new Error(`the service answered ${answer.status}`)
      for await (const event of parse(answer.body)) {
        last = event.id
        failures = 0
        yield event
      }
      return
    } catch (error) {
      if (signal.aborted || last === undefined) throw error
    }
  }
}

/** Server-sent events as the HTML standard (9.2.6) frames them; the fields we send are id, event and data. */
async function* parse(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  let buffer = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    buffer += chunk
    const blocks = buffer.split('\n\n')
    buffer = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block
          .split('\n')
          .filter((line) => !line.startsWith(':'))
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()] as const),
      )
      const data = fields.get('data')
      if (data !== undefined) yield { id: fields.get('id') ?? '', event: fields.get('event') ?? 'message', data }
    }
  }
}

type Body = {
  content?: { text: string }
  data?: Record<string, unknown>
  bytes?: number
  title?: string
  status?: string
  cost?: { amount: number }
}

/** One line a person reads of one event, or undefined for what only machines need. Control characters are made visible. */
export function lineOf(event: ServerEvent): string | undefined {
  const body = JSON.parse(event.data) as Body
  if (event.event === 'output') return visible(body.content?.text ?? '')
  if (event.event === 'left_out') return `… ${body.bytes} bytes left out …\n`
  return agentLine(event.event, body) ?? recordLine(event.event, body.data ?? {})
}

/** What the agent did beside speaking: a tool when it begins, and again only if it failed. */
function agentLine(event: string, { title = 'a tool', status, cost }: Body): string | undefined {
  if (event === 'tool_call') return `── ${visible(title)}\n`
  if (event === 'tool_call_update' && status === 'failed') return `── failed: ${visible(title)}\n`
  return event === 'usage_update' ? `── spent $${(cost?.amount ?? 0).toFixed(4)}\n` : undefined
}

function recordLine(event: string, data: Record<string, unknown>): string | undefined {
  if (event === 'state') return stateLine(data)
  if (event === 'note') return `── ${visible(textOf(data['text']))}\n`
  if (event !== 'gate') return undefined
  const findings = (data['findings'] ?? []) as { message: string }[]
  return findings.map((finding) => `── gate: ${visible(finding.message)}\n`).join('')
}

function stateLine({ state, reason, message }: Record<string, unknown>): string {
  const why = [reason, message].filter((part) => typeof part === 'string').join(': ')
  return `── ${textOf(state)}${why === '' ? '' : ` (${visible(why)})`}\n`
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

/** A terminal obeys escape sequences: agent text never reaches it with any. */
export function visible(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (char) =>
    char < ' '
      ? String.fromCodePoint(0x2400 + char.codePointAt(0)!)
      : `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}
