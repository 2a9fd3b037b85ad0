import type { Tried } from './attempts.ts'

const question = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'SCENARIO:quiet' }] }
type Post = { to?: string; headers?: string; body?: string; length?: string }
const own = 'x-api-key: {token}\r\n'

/** A request as it is written; with the length of its body unless another one is told. */
function post({ to = '/v1/messages', headers = own, body = JSON.stringify(question), length }: Post = {}): string {
  const size = length ?? `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return `POST ${to} HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\n${headers}${size}\r\n${body}`
}
const asked = (more: object) => JSON.stringify({ ...question, ...more })
const say = (title: string, bytes: string, { answer, told }: { answer: RegExp; told?: string }): Tried => ({
  tried: { title, how: 'say', to: 'relay', bytes },
  answer,
  ...(told === undefined ? {} : { told }),
})
const only = 'it was answered: only the model is behind this address'
const elsewhere = (to: string): Tried =>
  say(`POST ${to}`, post({ to }), { answer: /^HTTP\/1\.1 404 /, told: `${to}: ${only}` })
const refusedAs = (status: number, why: string) => ({
  answer: new RegExp(`^HTTP/1\\.1 ${status} `),
  told: `/v1/messages: it was answered: ${why}`,
})
const notIts = refusedAs(401, 'this is not the token of this run')
const outside = (what: string) => refusedAs(400, `${what} would reach outside, and this run has no network`)
const notHttp = { answer: /^HTTP\/1\.1 400 /, told: 'a request: it is not HTTP as it is written' }
const smuggled = '0\r\n\r\nPOST /v1/files HTTP/1.1\r\nHost: relay\r\nx-api-key: {token}\r\nContent-Length: 0\r\n\r\n'

/** What is asked of the address where the model is. */
export const askedOfModel: Tried[] = [
  say('a question', post(), { answer: /^HTTP\/1\.1 200 / }),
  say(
    'a question with a second credential, a cookie and another host beside',
    post({
      headers: `${own}Authorization: Bearer attacker\r\nCookie: a=attacker\r\nX-Forwarded-Host: attacker.example\r\n`,
    }),
    { answer: /^HTTP\/1\.1 200 / },
  ),
  say('the key of somebody else', post({ headers: 'x-api-key: sk-ant-attacker\r\n' }), notIts),
  say('no key', post({ headers: '' }), notIts),
  say(
    'the token of another run',
    post({ headers: `Authorization: Bearer overnight-run-${'0'.repeat(64)}\r\n` }),
    notIts,
  ),
  elsewhere('/v1/files'),
  elsewhere('/v1/messages/batches'),
  elsewhere('/v1/complete'),
  elsewhere('/v1/messages/../files'),
  elsewhere('/v1/messages%2f..%2ffiles'),
  elsewhere('//v1/messages'),
  say('a list of models', `GET /v1/models HTTP/1.1\r\nHost: relay\r\n${own}\r\n`, {
    answer: /^HTTP\/1\.1 404 /,
    told: `/v1/models: ${only}`,
  }),
  say('the model itself, by a whole address', post({ to: 'https://api.anthropic.com/v1/files' }), {
    answer: /^HTTP\/1\.1 403 /,
    told: 'https://api.anthropic.com/v1/files: it is asked for without TLS',
  }),
  say(
    'a tool that fetches for it',
    post({ body: asked({ tools: [{ type: 'web_fetch_20250910', name: 'web_fetch' }] }) }),
    outside('the tool "web_fetch_20250910"'),
  ),
  say(
    'a server of tools elsewhere',
    post({ body: asked({ mcp_servers: [{ type: 'url', url: 'https://evil.example', name: 'e' }] }) }),
    outside('mcp_servers'),
  ),
  say(
    'a picture that lies elsewhere',
    post({
      body: asked({
        messages: [
          { role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://evil.example/x' } }] },
        ],
      }),
    }),
    outside('a source that is a URL'),
  ),
  say(
    'two lengths, one inside the other',
    post({ length: 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', body: smuggled }),
    notHttp,
  ),
  say('two lengths that differ', post({ length: 'Content-Length: 0\r\nContent-Length: 90\r\n' }), notHttp),
  say('a coding that nobody knows', post({ length: 'Transfer-Encoding: xchunked\r\n', body: smuggled }), notHttp),
  say('a second request behind a question', `${post()}${post({ to: '/v1/files' })}`, { answer: /^HTTP\/1\.1 200 / }),
]
