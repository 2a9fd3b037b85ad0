/** Of a request: whoever asked knows it. An object is a number that is kept as it was written. */
export type Id = string | number | object
export type RpcError = { jsonrpc: '2.0'; id: Id | null; error: { code: number; message: string } }

/** jsonrpc.org/specification#error_object */
export const rpcErrors = { parse: -32700, invalid: -32600, noMethod: -32601, params: -32602, internal: -32603 } as const

/** In words of the relay, which an agent can read and act upon. */
export function errorTo(id: Id | null, { code, message }: RpcError['error']): RpcError {
  return { jsonrpc: '2.0', id, error: { code, message: `overnight: ${message}` } }
}
