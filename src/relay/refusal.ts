import type { ServerResponse } from 'node:http'

/** The words of the model's own API, so that an agent's client understands them (docs.anthropic.com/en/api/errors). */
const typeOf = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  413: 'request_too_large',
  415: 'invalid_request_error',
  429: 'rate_limit_error',
  502: 'api_error',
  504: 'timeout_error',
} as const
export type Refusal = { status: keyof typeof typeOf; message: string }

export function refuse(response: ServerResponse, { status, message }: Refusal): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const body = JSON.stringify({ type: 'error', error: { type: typeOf[status], message: `overnight: ${message}` } })
  // Whatever of the request was not read is not waited for.
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  response.end(body)
}
