import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { errorTo, rpcErrors, type RpcError } from './rpc.ts'

type Said = { status: number; body: RpcError | RpcError[] | string; headers?: OutgoingHttpHeaders }

export function say(response: ServerResponse, { status, body, headers = {} }: Said): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    // Whatever of the request was not read is not waited for.
    ...(status >= 400 ? { connection: 'close' } : {}),
  })
  response.end(text)
}

/** What is no answer to any one request. */
export function refuse(response: ServerResponse, status: number, message: string): void {
  say(response, { status, body: errorTo(null, { code: rpcErrors.invalid, message }) })
}
