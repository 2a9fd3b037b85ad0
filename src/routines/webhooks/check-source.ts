import { checkSent, type CheckUrl } from '../definitions/sent-headers.ts'
import { millisecondsOf } from '../keys/duration.ts'
import type { Finding } from '../reading/issues.ts'
import type { SourceFile, WrittenHmac, WrittenPoll } from './source-keys.ts'

const shortestPollMs = 30_000

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

function checkPoll(poll: WrittenPoll, checkUrl: CheckUrl): Finding[] {
  return [
    ...checkSent(poll, ['poll'], checkUrl),
    ...ifSo(millisecondsOf(poll.every) < shortestPollMs, ['poll', 'every'], {
      message: 'that is too often',
      hint: 'write 30s or more',
    }),
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
