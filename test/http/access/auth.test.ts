import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createSignIn, guardOrigin, requireSignIn } from '../../../src/http/access/auth.ts'
import { problemOf } from '../../../src/http/refuse.ts'

const minute = 60_000
const day = 24 * 60 * minute

function createDoor(token = 'the token') {
  const clock = { now: Date.UTC(2026, 10, 20) }
  const signIn = createSignIn(token, { now: () => clock.now })
  const app = new Hono<{ Variables: { actor: string } }>()
  app.use(guardOrigin(() => new Set(['overnight.test:4747', '[::1]:4747'])))
  app.post('/sign-in', async (c) => {
    await signIn.openSession(c)
    return c.text('welcome')
  })
  app.on(['GET', 'POST'], '/secret', requireSignIn(signIn), (c) => c.text(c.get('actor')))
  app.onError((error, c) => {
    const { status, body } = problemOf(error)
    return c.json(body, status as 401)
  })
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    app.request(path, { method, headers: { host: 'overnight.test:4747', ...headers } })
  return { clock, signIn, ask }
}

describe('a link', () => {
  test('signs in once', () => {
    const { signIn } = createDoor()
    const [first, second] = [keyOf(signIn.createLink()), keyOf(signIn.createLink())]
    expect(first).not.toBe(second)
    expect(signIn.useLink(first)).toBe(true)
    expect(signIn.useLink(first)).toBe(false)
    expect(signIn.useLink(second)).toBe(true)
  })

  test('is over after 15 minutes', () => {
    const { signIn, clock } = createDoor()
    const [early, late] = [keyOf(signIn.createLink()), keyOf(signIn.createLink())]
    clock.now += 15 * minute - 1
    expect(signIn.useLink(early)).toBe(true)
    clock.now += 1
    expect(signIn.useLink(late)).toBe(false)
  })

  test.each(['', 'x', 'constructor', '__proto__'])('%j was never made', (key) => {
    expect(createDoor().signIn.useLink(key)).toBe(false)
  })
})

describe('a session', () => {
  async function signedIn(door = createDoor()) {
    const answer = await door.ask('/sign-in', {}, 'POST')
    const header = answer.headers.get('set-cookie')!
    return { ...door, header, cookie: header.split(';')[0]! }
  }

  test('is a cookie that no script reads and no other site sends', async () => {
    const { header, cookie, ask } = await signedIn()
    expect(header).toMatch(/; HttpOnly(;|$)/)
    expect(header).toMatch(/; SameSite=Strict(;|$)/)
    expect(header).not.toContain('the token')
    expect(await (await ask('/secret', { cookie })).text()).toBe('page')
  })

  test('ends after 90 days, whatever the browser keeps', async () => {
    const { cookie, ask, clock } = await signedIn()
    clock.now += 90 * day - 1
    expect((await ask('/secret', { cookie })).status).toBe(200)
    clock.now += 1
    expect((await ask('/secret', { cookie })).status).toBe(401)
  })

  test('cannot be made longer, unsigned, or carried to a service with another token', async () => {
    const { cookie, ask } = await signedIn()
    const [name, value] = [
      cookie.slice(0, cookie.indexOf('=')),
      decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1)),
    ]
    const [until, signature] = [value.slice(0, value.indexOf('.')), value.slice(value.indexOf('.') + 1)]
    const forged = [
      `${Number(until) + 1}.${signature}`,
      until,
      `${until}.`,
      `${until}.${'A'.repeat(43)}=`,
      `Infinity.${signature}`,
      '',
    ]
    for (const one of forged) {
      expect((await ask('/secret', { cookie: `${name}=${encodeURIComponent(one)}` })).status).toBe(401)
    }
    const other = createDoor('another token')
    expect((await other.ask('/secret', { cookie })).status).toBe(401)
  })

  test('is not had by who answers a challenge: a proof is no signature', async () => {
    const { ask, signIn, cookie } = await signedIn()
    const name = cookie.slice(0, cookie.indexOf('='))
    const until = String(Date.UTC(2099, 1, 1))
    const signature = Buffer.from(signIn.prove(until), 'base64url').toString('base64')
    const answer = await ask('/secret', { cookie: `${name}=${encodeURIComponent(`${until}.${signature}`)}` })
    expect(answer.status).toBe(401)
  })
})

describe('a token', () => {
  test.each([
    ['Bearer the token', 200],
    ['Bearer the tokem', 401],
    ['Bearer the token ', 200],
    ['Bearer ', 401],
    ['the token', 401],
    ['Basic dGhlIHRva2Vu', 401],
    ['Bearer the token, Bearer x', 401],
  ])('%j → %i', async (authorization, status) => {
    expect((await createDoor().ask('/secret', { authorization })).status).toBe(status)
  })
})

describe('who asks, and from where', () => {
  const authorization = 'Bearer the token'
  test.each([
    ['our own name', {}, 'POST', 200],
    ['another of our names', { host: '[::1]:4747' }, 'POST', 200],
    ['another name', { host: 'evil.test:4747' }, 'GET', 403],
    ['our name with another port', { host: 'overnight.test:80' }, 'GET', 403],
    ['our name as a prefix', { host: 'overnight.test:4747.evil.test' }, 'GET', 403],
    ['our own page', { origin: 'http://overnight.test:4747' }, 'POST', 200],
    ['our own page over TLS', { origin: 'https://overnight.test:4747' }, 'POST', 200],
    ['a foreign page', { origin: 'http://evil.test' }, 'GET', 403],
    ['a foreign page that ends like ours', { origin: 'http://evil.overnight.test:4747' }, 'POST', 403],
    ['a page without an origin', { origin: 'null' }, 'POST', 403],
    ['a link on a foreign page', { 'sec-fetch-site': 'cross-site' }, 'GET', 200],
    ['a form on a foreign page', { 'sec-fetch-site': 'cross-site' }, 'POST', 403],
    ['a form on our page', { 'sec-fetch-site': 'same-origin' }, 'POST', 200],
  ] as const)('%s', async (...[, headers, method, status]) => {
    expect((await createDoor().ask('/secret', { authorization, ...headers }, method)).status).toBe(status)
  })
})

const keyOf = (link: string) => new URL(link, 'http://overnight.test').searchParams.get('key')!
