import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** A credential that opens the relay of one run and nothing else, and ends with it. */
export const newRunToken = (): string => `overnight-run-${randomBytes(32).toString('hex')}`

/** Does this request bring the token of this run, as a key or as bearer? Compared in a time that tells nothing. */
export function bringsToken(headers: IncomingHttpHeaders, token: string): boolean {
  const bearer = /^bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]
  return [headers['x-api-key'], bearer].some((given) => typeof given === 'string' && isSame(given, token))
}

/** To a proxy, as the password of anybody. */
export function bringsProxyToken(headers: IncomingHttpHeaders, token: string): boolean {
  const basic = /^basic\s+(\S+)$/i.exec(headers['proxy-authorization'] ?? '')?.[1] ?? ''
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? []
  return isSame(password, token)
}

export function bringsSomething(headers: IncomingHttpHeaders): boolean {
  return headers['proxy-authorization'] !== undefined
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
