import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { AddressRefused, OutsideUnreachable } from '../../src/errors.ts'
import { createGuardedFetch } from '../../src/outgoing/guarded-fetch.ts'
import { createCertificate } from '../support/certificate.ts'
import { openFolder } from '../support/git-repository.ts'

/** Sinks on every loopback address there is here; whoever connects to one is counted. */
const sinks: Server[] = []
const seen = { connections: 0 }
const state = { port: 0 }

beforeAll(async () => {
  for (const host of ['127.0.0.1', '::1', '127.0.0.2']) {
    const sink = createServer((_request, response) => response.end('reached')).listen(state.port, host)
    await once(sink, 'listening')
    sink.on('connection', () => (seen.connections += 1))
    state.port = (sink.address() as AddressInfo).port
    sinks.push(sink)
  }
})
afterAll(() => sinks.forEach((sink) => sink.close()))

const guarded = createGuardedFetch({ allowedHosts: [] })

/** What a name means, in turn; the last answer stays. Never the machine's own resolver. */
function resolver(...answers: string[][]): LookupFunction & { asked: string[] } {
  const asked: string[] = []
  const lookup: LookupFunction = (host, options, done) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)]!
    asked.push(host)
    const found: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (options.all) done(null, found)
    else done(null, found[0]!.address, found[0]!.family)
  }
  return Object.assign(lookup, { asked })
}

async function refusal(url: string, guard = guarded): Promise<unknown> {
  return guard(url, { timeoutMs: 2000 }).catch((error: unknown) => error)
}

describe('nobody is led to what is private', () => {
  const forms = [
    'https://127.0.0.1:PORT/',
    'https://127.0.0.2:PORT/',
    'https://127.1:PORT/',
    'https://127.0.1:PORT/',
    'https://2130706433:PORT/',
    'https://0x7f000001:PORT/',
    'https://0x7f.1:PORT/',
    'https://0x7F.0x0.0x0.0x1:PORT/',
    'https://0177.0.0.1:PORT/',
    'https://017700000001:PORT/',
    'https://0177.0x0.0.01:PORT/',
    'https://127.0.0.1.:PORT/',
    'https://①②⑦.⓪.⓪.①:PORT/',
    'https://127。0。0。1:PORT/',
    'https://%31%32%37.0.0.1:PORT/',
    'https://0:PORT/',
    'https://0.0.0.0:PORT/',
    'https://0.1.2.3:PORT/',
    'https://[::]:PORT/',
    'https://[::1]:PORT/',
    'https://[0:0:0:0:0:0:0:1]:PORT/',
    'https://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/',
    'https://[::ffff:127.0.0.1]:PORT/',
    'https://[::ffff:7f00:1]:PORT/',
    'https://[0:0:0:0:0:ffff:7f00:0001]:PORT/',
    'https://[::127.0.0.1]:PORT/',
    'https://[::7f00:1]:PORT/',
    'https://[::ffff:0:127.0.0.1]:PORT/',
    'https://[64:ff9b::127.0.0.1]:PORT/',
    'https://[64:ff9b:1::7f00:1]:PORT/',
    'https://[2002:7f00:1::]:PORT/',
    'https://[2001:0:7f00:1::]:PORT/',
    'https://[fe80::1]:PORT/',
    'https://[fec0::1]:PORT/',
    'https://[fc00::1]:PORT/',
    'https://[fd00:ec2::254]:PORT/',
    'https://[ff02::1]:PORT/',
    'https://[100::1]:PORT/',
    'https://[2001:db8::1]:PORT/',
    'https://10.0.0.1:PORT/',
    'https://10.255.255.255:PORT/',
    'https://172.16.0.1:PORT/',
    'https://172.31.255.254:PORT/',
    'https://192.168.0.1:PORT/',
    'https://100.64.0.1:PORT/',
    'https://169.254.169.254:PORT/latest/meta-data/',
    'https://0xa9fea9fe:PORT/',
    'https://2852039166:PORT/',
    'https://192.0.0.1:PORT/',
    'https://192.0.2.1:PORT/',
    'https://198.18.0.1:PORT/',
    'https://198.51.100.1:PORT/',
    'https://203.0.113.1:PORT/',
    'https://224.0.0.1:PORT/',
    'https://240.0.0.1:PORT/',
    'https://255.255.255.255:PORT/',
    'https://localhost:PORT/',
    'https://LOCALHOST:PORT/',
    'https://localhost.:PORT/',
    'https://ｌｏｃａｌｈｏｓｔ:PORT/',
    'https://example.com@127.0.0.1:PORT/',
    'https://user:secret@example.com:PORT/',
    'https:\\\\127.0.0.1:PORT\\',
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://example.com:PORT/',
    'ftp://127.0.0.1:PORT/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'ws://127.0.0.1:PORT/',
    'gopher://127.0.0.1:PORT/_GET',
    'unix:/var/run/docker.sock',
    'javascript:0',
    '//127.0.0.1:PORT/',
    'https://',
    '',
  ]
  test.each(forms)('%s', async (form) => {
    seen.connections = 0
    const error = await refusal(form.replace('PORT', String(state.port)))
    expect(error).toBeInstanceOf(AddressRefused)
    expect(error).toMatchObject({ retryable: false, hint: expect.stringMatching(/\w/) as string })
    expect(String(error)).not.toMatch(/secret|latest/)
    expect(seen.connections).toBe(0)
  })

  test.each([
    ['a private address', ['10.0.0.1']],
    ['loopback', ['127.0.0.1']],
    ['a public and a private one', ['2606:4700::1111', '127.0.0.1']],
    ['an IPv4 address in IPv6', ['::ffff:127.0.0.1']],
    ['the old form of that', ['::7f00:1']],
    ['a link-local one with its zone', ['fe80::1%lo']],
  ])('a name that means %s', async (_what, addresses) => {
    seen.connections = 0
    const guard = createGuardedFetch({ allowedHosts: [], lookup: resolver(addresses) })
    expect(await refusal(`https://rebind.example:${state.port}/`, guard)).toBeInstanceOf(AddressRefused)
    expect(seen.connections).toBe(0)
  })

  test('a name that changes what it means: the address that was judged is the one that is used', async () => {
    seen.connections = 0
    const meant = resolver(['2606:4700::1111'], ['127.0.0.1'])
    const gone = new AbortController()
    // Nothing is sent to that public address: who asked is gone before it is known.
    const lookup: LookupFunction = (host, options, done) => {
      gone.abort(new Error('gone'))
      meant(host, options, done)
    }
    const guard = createGuardedFetch({ allowedHosts: [], lookup })
    await expect(guard(`https://rebind.example:${state.port}/`, { signal: gone.signal })).rejects.toThrow('gone')
    expect(await refusal(`https://rebind.example:${state.port}/`, guard)).toBeInstanceOf(AddressRefused)
    expect(meant.asked).toHaveLength(2)
    expect(seen.connections).toBe(0)

    const listed = resolver(['127.0.0.1'], ['127.0.0.2'])
    const trusted = createGuardedFetch({ allowedHosts: ['trusted.example'], lookup: listed })
    await trusted(`http://trusted.example:${state.port}/`)
    expect(listed.asked).toEqual(['trusted.example'])
    expect(seen.connections).toBe(1)
  })
})

/** A host the operator listed. */
async function open(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  return { url: `http://${host}`, guard: createGuardedFetch({ allowedHosts: [host] }) }
}

describe('a host that the operator listed', () => {
  test('may be private and without TLS, under that port alone', async () => {
    const { url, guard } = await open((request, response) => {
      void text(request).then((body) => response.setHeader('x-was', request.method!).end(`got ${body}`))
    })
    const answer = await guard(`${url}/x`, { method: 'POST', body: 'hello', headers: { 'content-type': 'text/plain' } })
    expect(answer).toMatchObject({ status: 200, headers: { 'x-was': 'POST' }, body: Buffer.from('got hello') })
    expect(await refusal(`http://127.0.0.1:${state.port}/`, guard)).toBeInstanceOf(AddressRefused)
    expect(await refusal(url.replace('127.0.0.1', 'localhost'), guard)).toBeInstanceOf(AddressRefused)
  })

  test('is asked over TLS only with a certificate that holds', async () => {
    using folder = openFolder()
    const files = createCertificate(folder.path)
    const [key, cert] = [readFileSync(files.key), readFileSync(files.certificate, 'utf8')]
    const server = createSecureServer({ key, cert }, (_request, response) => response.end('safe'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const guard = createGuardedFetch({ allowedHosts: ['127.0.0.1'] })
    expect(await refusal(url, guard)).toMatchObject({ message: expect.stringMatching(/CERT/) as string })
    const before = getCACertificates('default')
    setDefaultCACertificates([...before, cert])
    onTestFinished(() => setDefaultCACertificates(before))
    expect((await guard(url)).body.toString()).toBe('safe')
  })

  const head = (location: string, status = 302) =>
    ((_request, response) => response.writeHead(status, { location }).end()) satisfies RequestListener

  test('is followed within itself as often as one allows, with its headers', async () => {
    const keys: unknown[] = []
    const { url, guard } = await open((request, response) => {
      keys.push(request.headers['x-key'])
      const step = Number(request.url!.slice(1))
      if (step > 0) response.writeHead(307, { location: `/${step - 1}` })
      response.end(`step ${step}`)
    })
    const ask = { headers: { 'x-key': 'k' } }
    expect(await guard(`${url}/2`, { ...ask, redirects: 2 })).toMatchObject({
      status: 200,
      body: Buffer.from('step 0'),
    })
    expect(keys).toEqual(['k', 'k', 'k'])
    expect(await guard(`${url}/2`, { ...ask, redirects: 1 })).toMatchObject({ status: 307 })
    expect(await guard(`${url}/2`, ask)).toMatchObject({ status: 307, body: Buffer.from('step 2') })
  })

  test.each([
    ['another port of the same machine', () => `http://127.0.0.1:${state.port}/`],
    ['the same place by another name', () => `http://localhost:${state.port}/`],
    ['a public place', () => 'https://example.com/'],
    ['another scheme', () => 'ftp://127.0.0.1/'],
    ['a place without a scheme', () => `//127.0.0.1:${state.port}/`],
    ['what is no address', () => 'http://['],
  ])('never leads to %s', async (_what, location) => {
    seen.connections = 0
    const { url, guard } = await open(head(location()))
    const error = await guard(url, { redirects: 5 }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AddressRefused)
    expect(String(error)).toMatch(/another host/)
    expect(seen.connections).toBe(0)
  })
})

describe('no answer is waited for or read without an end', () => {
  const mebibyte = Buffer.alloc(1024 ** 2, 'a')
  const cases: [what: string, listener: RequestListener, says: RegExp][] = [
    ['one that says it is too large', (_q, r) => r.setHeader('content-length', 2 ** 40).write('a'), /larger than 1 MB/],
    ['one that only is', (_q, r) => r.write(mebibyte, () => r.end('a')), /larger than 1 MB/],
    [
      'one that is small until it is unpacked',
      (_q, r) => r.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(64 * 1024 ** 2))),
      /larger than 1 MB/,
    ],
    ['one that unpacks to nothing, for ever', endless, /larger than 1 MB/],
    ['one packed otherwise', (_q, r) => r.setHeader('content-encoding', 'zstd').end('a'), /not asked for/],
    ['one that is not packed at all', (_q, r) => r.setHeader('content-encoding', 'gzip').end('plain'), /Z_DATA_ERROR/],
    ['one cut off', (_q, r) => r.setHeader('content-length', 10).write('a', () => r.destroy()), /ECONNRESET/],
    ['one that never comes', () => {}, /within 0.2 s/],
    ['one that never ends', (_q, r) => r.write('a'), /within 0.2 s/],
  ]
  test.each(cases)('%s', async (_what, listener, says) => {
    const { url, guard } = await open(listener)
    const isLate = says.source.includes('within')
    const error = await guard(`${url}/secret-path`, isLate ? { timeoutMs: 200 } : {}).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OutsideUnreachable)
    expect(error).toMatchObject({ retryable: true, message: expect.stringMatching(says) as string })
    expect(String(error)).not.toMatch(/secret-path/)
  })

  function endless(_request: IncomingMessage, response: Parameters<RequestListener>[1]): void {
    response.setHeader('content-encoding', 'gzip')
    const member = Buffer.concat(Array.from({ length: 1000 }, () => gzipSync('')))
    const more = () => !response.destroyed && response.write(member, more)
    more()
  }

  test('a packed answer that fits is unpacked', async () => {
    const { url, guard } = await open((_q, r) => void r.setHeader('content-encoding', 'gzip').end(gzipSync(mebibyte)))
    expect((await guard(url)).body.equals(mebibyte)).toBe(true)
  })

  test('who asked may stop asking', async () => {
    const { url, guard } = await open(() => gone.abort(new Error('enough')))
    const gone = new AbortController()
    await expect(guard(url, { signal: gone.signal })).rejects.toThrow('enough')
  })

  test('nobody is there', async () => {
    const { url, guard } = await open(() => {})
    await expect(guard(url.replace(/\d+$/, '1'))).rejects.toThrow(AddressRefused)
    const deaf = createGuardedFetch({ allowedHosts: ['127.0.0.1'] })
    await expect(deaf('http://127.0.0.1:1/')).rejects.toThrow(/127.0.0.1:1 gave no answer: ECONNREFUSED/)
  })
})
