import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { newSigningSecret, readSigningSecrets, sign } from '../../src/outgoing/sign.ts'

const message = { id: 'run_ended_abc', at: new Date(), payload: '{"type":"run.ended","data":{"title":"Grüße 🌙"}}' }

describe('a signature', () => {
  test('is the published example', () => {
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    const headers = sign(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      at: new Date(1_614_265_330_000),
      payload: '{"test": 2432232314}',
    })
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  test('is taken by the library of receivers, whatever the text', () => {
    const secret = newSigningSecret()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (title) => {
        const payload = JSON.stringify({ title })
        expect(new Webhook(secret).verify(payload, sign([secret], { ...message, payload }))).toEqual({ title })
      }),
    )
  })

  test('is taken by whoever knows one of two secrets, and by nobody else', () => {
    const [old, young, other] = [newSigningSecret(), newSigningSecret(), newSigningSecret()]
    const headers = sign([young, old], message)
    for (const secret of [old, young]) expect(new Webhook(secret).verify(message.payload, headers)).toBeTruthy()
    expect(() => new Webhook(other).verify(message.payload, headers)).toThrow('No matching signature')
    expect(() => new Webhook(old).verify(`${message.payload} `, headers)).toThrow('No matching signature')
    const renamed = { ...headers, 'webhook-id': 'run_ended_xyz' }
    expect(() => new Webhook(old).verify(message.payload, renamed)).toThrow('No matching signature')
    const late = sign([old], { ...message, at: new Date(Date.now() - 6 * 60_000) })
    expect(() => new Webhook(old).verify(message.payload, late)).toThrow('too old')
  })
})

describe('secrets as they are written', () => {
  const secret = newSigningSecret()
  test.each([
    ['one', secret, [secret]],
    ['without whsec_', secret.slice(6), [secret.slice(6)]],
    ['without padding', secret.replaceAll('=', ''), [secret.replaceAll('=', '')]],
    ['two', `  ${secret}\n${secret} `, [secret, secret]],
  ])('%s', (_, written, read) => {
    expect(readSigningSecrets(written)).toEqual(read)
  })

  test.each([
    ['nothing', ' \n'],
    ['a word', 'secret'],
    ['too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['not base64', `whsec_${'!'.repeat(44)}`],
    ['base64url', `whsec_${Buffer.alloc(32, 0xff).toString('base64url')}`],
    ['one good, one bad', `${secret} whsec_`],
  ])('%s is refused, and not repeated', (_, written) => {
    expect(() => readSigningSecrets(written)).toThrow(/must be 24 to 64 bytes/)
  })
})
