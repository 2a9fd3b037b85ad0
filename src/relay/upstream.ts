import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { requestHeaders, responseHeaders, secretOf, type Upstream } from './credential.ts'
import { refuse } from './refusal.ts'
import { createUsageReader, type UsageReport } from './usage.ts'

type UpstreamOptions = {
  upstream: Upstream
  onUsage(report: UsageReport): void
  connectMs?: number
  silentMs?: number
}
type Question = { request: IncomingMessage; response: ServerResponse; body: Buffer }

const defaultConnectMs = 30_000
/** Longer than a model thinks between two bytes: it sends a ping every few seconds. */
const defaultSilentMs = 10 * 60_000
/** An error is a sentence. */
const mostErrorBytes = 256 * 1024

/** Connections to the model that one run keeps. */
export function openUpstream(options: UpstreamOptions) {
  const { upstream, connectMs = defaultConnectMs, silentMs = defaultSilentMs } = options
  const base = new URL(upstream.baseUrl)
  const isSecure = base.protocol === 'https:'
  const agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  const secret = secretOf(upstream) ?? ''

  /** Resolves with the head of the answer; the client's leaving ends it. */
  function send({ request, body }: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const target = new URL(base.href.replace(/\/+$/, '') + (request.url ?? ''))
    const headers = { ...requestHeaders(request.headers, upstream), 'content-length': body.length }
    return new Promise((resolve, reject) => {
      const sent = (isSecure ? httpsRequest : httpRequest)(target, { method: 'POST', headers, agent, signal })
      const connecting = setTimeout(() => sent.destroy(new Error('no connection in time')), connectMs)
      const arrived = () => clearTimeout(connecting)
      sent.on('socket', (socket) => {
        if (!socket.connecting) return arrived()
        socket.once(isSecure ? 'secureConnect' : 'connect', arrived)
      })
      sent.setTimeout(silentMs, () => sent.destroy(new Error('silent for too long')))
      sent.on('response', resolve)
      sent.on('error', reject)
      sent.on('close', arrived)
      sent.end(body)
    })
  }

  return {
    /** Answers in the model's own words, errors too; what it cannot get an answer for is 502 or 504. */
    async ask(question: Question): Promise<void> {
      const { response } = question
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      try {
        const answer = await send(question, gone.signal)
        await passOn(answer, { response, secret, onUsage: options.onUsage })
      } catch (error) {
        const why = error instanceof Error && 'code' in error ? String(error.code) : 'it broke off'
        const isLate = error instanceof Error && /in time|too long/.test(error.message)
        const message = isLate ? 'the model did not answer in time' : `the model could not be reached (${why})`
        refuse(response, { status: isLate ? 504 : 502, message })
      }
    },
    close: () => agent.destroy(),
  }
}

type Onward = { response: ServerResponse; secret: string; onUsage(report: UsageReport): void }

async function passOn(answer: IncomingMessage, { response, secret, onUsage }: Onward): Promise<void> {
  const status = answer.statusCode ?? 502
  if (status >= 300 && status < 400) {
    answer.destroy()
    // To follow it would hand the credential to another address.
    return refuse(response, { status: 502, message: `the model's address answered with a redirect (${status})` })
  }
  const headers = responseHeaders(answer.headers, secret)
  if (status >= 400) {
    const text = await errorText(answer)
    const clean = text.replaceAll(secret, '[the key]')
    // Nobody corrects a key within minutes, and clients would go on trying for as long.
    const final = status === 401 ? { 'x-should-retry': 'false' } : {}
    response.writeHead(status, { ...headers, ...final, 'content-length': Buffer.byteLength(clean) }).end(clean)
    return
  }
  const reader = createUsageReader(answer.headers['content-type'] ?? '')
  response.writeHead(status, headers)
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      reader.read(chunk)
      done(null, chunk)
    },
  })
  try {
    await pipeline(answer, tap, response)
  } finally {
    const report = reader.report()
    if (report) onUsage(report)
  }
}

async function errorText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > mostErrorBytes) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
