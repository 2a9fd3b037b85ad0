import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createHooks } from '../../../src/forges/github/hooks.ts'
import { findAppHook, findCheckRight } from '../../../src/forges/github/rights.ts'
import type { Credentials } from '../../../src/forges/github/sign-in.ts'
import { openGitHubGround } from '../../support/github/ground.ts'
import type { GitHub } from '../../support/github/stand-in.ts'

const patience = { waitAtMostMs: 0, pauseMs: 1, spaced: false }
const asApp = ({ app }: GitHub): NonNullable<Credentials> => ({ kind: 'app', appId: app.id, keyFile: app.keyFile })
const asToken = (token: string): NonNullable<Credentials> => ({ kind: 'token', token })
const inShop = { repository: { full_name: 'acme/shop' } }

/** The webhooks of repositories, as a person with this token sees them. */
function hooksAs(github: GitHub, token: string, publicUrl?: string) {
  const hooks = createHooks({ url: github.url, auth: asToken(token), publicUrl, patience })
  if (hooks?.of !== 'repositories') throw new Error('a token has no webhook of its own')
  return hooks
}

/** Where webhooks write to: it takes what comes only when it `isUp`. */
async function openListener() {
  const state = { isUp: false, came: [] as string[] }
  const server = createServer((request, response) => {
    if (state.isUp) state.came.push(String(request.headers['x-github-delivery']))
    request.resume().on('end', () => response.writeHead(state.isUp ? 202 : 503).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()))
  return Object.assign(state, { url, [Symbol.asyncDispose]: close })
}

describe('webhooks at GitHub', () => {
  test('what a webhook of a repository could not deliver is told with a token, page after page, and sent again', async () => {
    await using ground = await openGitHubGround()
    await using listener = await openListener()
    const { github } = ground
    github.hookAt({ url: listener.url, secret: 's', repository: 'acme/shop' })
    const sent: string[] = []
    for (let count = 0; count < 101; count++) sent.unshift((await github.deliver('push', inShop)).guid)
    const [hook, ...others] = await hooksAs(github, github.tokens.owner, listener.url).find('acme/shop')
    expect(others).toEqual([])
    const first = await hook!.page(undefined)
    const second = await hook!.page(first.next)
    expect([...first.attempts, ...second.attempts].map(({ guid }) => guid)).toEqual(sent)
    expect(second.next).toBeUndefined()
    listener.isUp = true
    await hook!.sendAgain(second.attempts[0]!.id)
    await expect.poll(() => listener.came).toEqual([sent.at(-1)])
    // One that GitHub does not know.
    await expect(hook!.sendAgain('1')).rejects.toMatchObject({ reason: 'no_checkout' })
  })

  test('one that writes elsewhere is none of ours', async () => {
    await using ground = await openGitHubGround()
    const { github } = ground
    expect(await hooksAs(github, github.tokens.owner).find('acme/shop')).toEqual([])
    github.hookAt({ url: 'https://ci.example', secret: 's', repository: 'acme/shop' })
    const found = async (publicUrl?: string) =>
      (await hooksAs(github, github.tokens.owner, publicUrl).find('acme/shop')).map(({ name }) => name)
    // Where we are not told our own name it may be ours.
    expect(await found()).toEqual(['acme/shop 1'])
    expect(await found('https://ci.example/')).toEqual(['acme/shop 1'])
    expect(await found('https://overnight.example')).toEqual([])
  })

  test('who may not see them is told what to do; a limit is no refusal', async () => {
    await using ground = await openGitHubGround()
    const { github } = ground
    const hooks = hooksAs(github, github.tokens.reader)
    const refused = { reason: 'forge_denied', hint: expect.stringContaining('admin:repo_hook') }
    await expect(hooks.find('acme/shop')).rejects.toMatchObject(refused)
    await expect(hooksAs(github, github.tokens.owner).find('acme/nowhere')).rejects.toMatchObject(refused)
    const limit = { status: 403, headers: { 'retry-after': '60' }, body: { message: 'secondary rate limit' } }
    github.fault({ path: '/hooks', times: 9, answer: limit })
    await expect(hooks.find('acme/shop')).rejects.toMatchObject({ retryable: true, retryAfterMs: 60_000 })
    github.healthy()
    github.revokeToken(github.tokens.reader)
    await expect(hooks.find('acme/shop')).rejects.toMatchObject({ hint: expect.stringContaining('renew') })
  })

  test('the App has one for all; nobody signed in has none', async () => {
    await using ground = await openGitHubGround()
    await using listener = await openListener()
    const { url } = ground.github
    expect(createHooks({ url, auth: undefined, publicUrl: undefined })).toBeUndefined()
    const hooks = createHooks({ url, auth: asApp(ground.github), publicUrl: undefined, patience })
    ground.github.hookAt({ url: listener.url, secret: 's' })
    const { guid } = await ground.github.deliver('push', inShop)
    const page = hooks?.of === 'app' ? await hooks.hook.page(undefined) : undefined
    expect(page).toMatchObject({ attempts: [{ guid, isOk: false }], next: undefined })
  })
})

describe('for the doctor', () => {
  test('where the webhook of the App writes to', async () => {
    await using ground = await openGitHubGround()
    const { github } = ground
    const look = (publicUrl?: string) => findAppHook({ url: github.url, auth: asApp(github) }, publicUrl)
    expect(await look()).toMatchObject({ isGood: false, says: 'the App has none' })
    github.hookAt({ url: 'https://old.example', secret: 's' })
    expect(await look()).toMatchObject({ isGood: true })
    expect(await look('https://old.example/')).toMatchObject({ isGood: true })
    expect(await look('https://new.example')).toEqual({
      isGood: false,
      says: "the App's writes to https://old.example/hooks/github",
      hint: "set it in the App's settings to https://new.example/hooks/github",
    })
    const asForm = { url: 'https://old.example/hooks/github', content_type: 'form' }
    github.fault({ path: '/app/hook/config', answer: { status: 200, body: JSON.stringify(asForm) } })
    expect(await look()).toMatchObject({ isGood: false, hint: expect.stringContaining('application/json') })
  })

  test.each([
    [
      { contents: 'write', metadata: 'read' },
      { isGood: false, hint: expect.stringContaining('Checks: read and write') },
    ],
    [
      { metadata: 'read', checks: 'read' },
      { isGood: false, says: 'the App may not write them in acme/shop' },
    ],
    [
      { metadata: 'read', checks: 'write' },
      { isGood: true, says: 'the App may write them in acme/shop' },
    ],
  ])('whether the App may write checks: %o', async (permissions, found) => {
    await using ground = await openGitHubGround({ permissions })
    const signedIn = { url: ground.github.url, auth: asApp(ground.github) }
    expect(await findCheckRight(signedIn, 'acme/shop')).toMatchObject(found)
    expect(await findCheckRight(signedIn, 'acme/nowhere')).toMatchObject({ isGood: false })
  })

  test('whether a token may write statuses, as far as GitHub tells', async () => {
    await using ground = await openGitHubGround()
    const { github } = ground
    const look = (token: string) => findCheckRight({ url: github.url, auth: asToken(token) }, 'acme/shop')
    expect(await look(github.tokens.owner)).toMatchObject({ isGood: true })
    expect(await look(github.tokens.reader)).toMatchObject({ isGood: true, says: expect.stringContaining('not tell') })
    const narrow = { status: 200, headers: { 'x-oauth-scopes': 'gist, read:org' }, body: '{"login":"acme"}' }
    github.fault({ path: '/user$', answer: narrow })
    expect(await look(github.tokens.owner)).toMatchObject({ isGood: false, hint: 'give it the scope repo:status' })
  })
})
