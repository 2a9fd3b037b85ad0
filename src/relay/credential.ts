import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** Where a model is, and what opens it. A key wins over a token. */
export type Upstream = { baseUrl: string; apiKey: string | undefined; oauthToken: string | undefined }

/** Of what an agent's client sends, only this goes on: no cookies, no credentials, nothing about the way it came. */
const handedOn = /^(accept|content-type|user-agent|x-app|anthropic-.+|x-stainless-.+|x-claude-code-.+)$/
/** Set by its proxy for one connection (RFC 9110, 7.6.1), or a cookie for an agent that must keep nothing. */
const heldBack = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'set-cookie',
])
const oauthBeta = 'oauth-2025-04-20'

export function secretOf({ apiKey, oauthToken }: Upstream): string | undefined {
  return apiKey ?? oauthToken
}

/** Headers for the model: the real credential in place of the one-run token. */
export function requestHeaders(received: IncomingHttpHeaders, upstream: Upstream): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = Object.fromEntries(
    Object.entries(received).filter(([name]) => handedOn.test(name)),
  )
  // Not compressed: usage is read while the answer passes by.
  headers['accept-encoding'] = 'identity'
  if (upstream.apiKey !== undefined) return { ...headers, 'x-api-key': upstream.apiKey }
  const betas = String(headers['anthropic-beta'] ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => beta !== '' && beta !== oauthBeta)
  return {
    ...headers,
    'anthropic-beta': [...betas, oauthBeta].join(','),
    authorization: `Bearer ${upstream.oauthToken ?? ''}`,
  }
}

/** Headers for the agent: everything that speaks of the answer, and never the credential, whoever echoed it. */
export function responseHeaders(received: IncomingHttpHeaders, secret: string): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(received).filter(([name, value]) => !heldBack.has(name) && !String(value).includes(secret)),
  )
}
