import { millisecondsOf } from '../duration.ts'
import type { Finding } from '../issues.ts'
import { secretPattern, type SourceFile, type WrittenHmac, type WrittenPoll } from './source-keys.ts'

const shortestPollMs = 30_000

/** Why an address would not be asked here; undefined = nothing against it. */
export type CheckUrl = (url: string) => { message: string; hint: string } | undefined

/** Rules about several keys together, which a schema cannot say. */
export function checkSource({ verify, secret, poll }: SourceFile, checkUrl: CheckUrl): Finding[] {
  return [
    ...ifSo(verify === undefined && poll === undefined, [], {
      message: 'nothing says how its deliveries are verified',
      hint: 'write verify: with the name of a sender, or poll: for a source that is asked',
    }),
    ...ifSo(verify !== undefined && secret === undefined, ['verify'], {
      message: 'there is no secret to verify with',
      hint: 'write secret: secret:NAME',
    }),
    ...ifSo(verify === undefined && secret !== undefined, ['secret'], {
      message: 'nothing uses this secret',
      hint: 'write verify: for deliveries; what is polled has its secrets in headers',
    }),
    ...(typeof verify === 'object' ? checkWay(verify) : []),
    ...(poll ? checkPoll(poll, checkUrl) : []),
  ]
}

/** A secret has a list of its own: told at once, not after the other one was written. */
function withSecrets(hint: string, headers: WrittenPoll['headers']): string {
  const sent = Object.values(headers).flatMap((value) => secretPattern.exec(value)?.[1] ?? [])
  const lists = [...new Set(sent)].map((name) => `OVERNIGHT_SECRET_${name}_HOSTS`)
  return lists.length === 0 ? hint : `${hint}; secrets go there when it is also in ${lists.join(' and ')}`
}

/** Headers that say who asks. */
const credential = /authorization|cookie|token|key|secret|password/i

function checkPoll({ url, every, headers }: WrittenPoll, checkUrl: CheckUrl): Finding[] {
  const { username, password } = new URL(url)
  const isSignedIn = username !== '' || password !== ''
  const refused = isSignedIn ? undefined : checkUrl(url)
  const open = Object.entries(headers).filter(([name, value]) => credential.test(name) && !secretPattern.test(value))
  return [
    ...ifSo(isSignedIn, ['poll', 'url'], {
      message: 'there is a user or a password in the address',
      hint: 'take it out, and write headers: { Authorization: "Basic secret:NAME" }',
    }),
    ...(refused ? ifSo(true, ['poll', 'url'], { ...refused, hint: withSecrets(refused.hint, headers) }) : []),
    ...ifSo(millisecondsOf(every) < shortestPollMs, ['poll', 'every'], {
      message: 'that is too often',
      hint: 'write 30s or more',
    }),
    ...open.flatMap(([name]) =>
      ifSo(true, ['poll', 'headers', name], {
        message: 'a credential must not stand in this file',
        hint: 'write secret:NAME in its place, such as "Bearer secret:NAME"',
      }),
    ),
  ]
}

function checkWay({ hmac, token }: Exclude<SourceFile['verify'], string | undefined>): Finding[] {
  const isOne = (hmac === undefined) !== (token === undefined)
  return [
    ...ifSo(!isOne, ['verify'], { message: 'this must be one way', hint: 'write hmac: or token:' }),
    ...(hmac ? checkSigned(hmac) : []),
  ]
}

function checkSigned({ signed, timestamp, id }: WrittenHmac): Finding[] {
  const path = ['verify', 'hmac', 'signed']
  const signs = (mark: string) => signed.includes(mark)
  const isLoose = timestamp !== undefined && !('body' in timestamp) && !signs('{ts}')
  return [
    ...ifSo(!signs('{body}'), path, { message: 'the body is not signed', hint: 'write {body} into it' }),
    ...ifSo(signs('{ts}') && timestamp === undefined, path, {
      message: 'nothing says where {ts} is',
      hint: 'write timestamp: { header: … } beside it',
    }),
    ...ifSo(isLoose, ['verify', 'hmac', 'timestamp'], {
      message: 'a timestamp that is not signed proves nothing',
      hint: 'write {ts} into signed, or leave it out',
    }),
    ...ifSo(signs('{id}') && id === undefined, path, {
      message: 'nothing says where {id} is',
      hint: 'write id: with the name of the header beside it',
    }),
    ...ifSo(id !== undefined && !signs('{id}'), ['verify', 'hmac', 'id'], {
      message: 'this id is not signed',
      hint: 'write {id} into signed; what tells deliveries apart is the other id:, beside verify',
    }),
  ]
}

const ifSo = (wrong: boolean, path: Finding['path'], words: { message: string; hint: string }): Finding[] =>
  wrong ? [{ path, at: 'value', ...words }] : []
