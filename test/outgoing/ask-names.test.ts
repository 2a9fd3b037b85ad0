import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { LookupAddress, LookupOptions } from 'node:dns'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAskNames } from '../../src/outgoing/ask-names.ts'
import { createDial } from '../../src/outgoing/dial.ts'

type Zone = Record<string, { a?: string[]; aaaa?: Buffer[] }>
const [typeA, typeAaaa] = [1, 28]

/** A name server with these names; it says nothing of `silent` ones, and that all others are not there (RFC 1035, 4.1). */
async function openServer(zone: Zone, silent: readonly string[] = []) {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const { name, end } = nameIn(query)
    asked.push(name)
    if (silent.includes(name)) return
    const type = query.readUInt16BE(end)
    const known = zone[name]
    const a = (known?.a ?? []).map((address) => Buffer.from(address.split('.').map(Number)))
    const data = { [typeA]: a, [typeAaaa]: known?.aaaa ?? [] }[type] ?? []
    const head = Buffer.from(query.subarray(0, 12))
    head.writeUInt16BE(known ? 0x8180 : 0x8183, 2)
    head.writeUInt16BE(data.length, 6)
    head.writeUInt32BE(0, 8)
    const answers = data.map((bytes) =>
      Buffer.concat([Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]), bytes]),
    )
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...answers]), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return { asked, servers: [`127.0.0.1:${socket.address().port}`] }
}

function nameIn(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase())
    at += 1 + length
  }
  return { name: labels.join('.'), end: at + 1 }
}

function ask(servers: readonly string[], host: string, options: LookupOptions = { all: true }): Promise<unknown> {
  const lookup = createAskNames({ servers, timeoutMs: 200 })
  return new Promise((resolve, reject) =>
    lookup(host, options, (error, address: string | LookupAddress[]) => (error ? reject(error) : resolve(address))),
  )
}

describe('asking for a name', () => {
  test('every address it has, or the first', async () => {
    const v6 = Buffer.from('26064700000000000000000000001111', 'hex')
    const { servers } = await openServer({
      'a.example': { a: ['192.0.2.1', '192.0.2.2'], aaaa: [v6] },
      'six.example': { aaaa: [v6] },
    })
    expect(await ask(servers, 'a.example')).toEqual([
      { address: '192.0.2.1', family: 4 },
      { address: '192.0.2.2', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ])
    expect(await ask(servers, 'a.example', {})).toBe('192.0.2.1')
    expect(await ask(servers, 'six.example')).toEqual([{ address: '2606:4700::1111', family: 6 }])
  })

  test('no such name, and none that answers', async () => {
    const { servers } = await openServer({}, ['silent.example'])
    await expect(ask(servers, 'gone.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(ask(servers, 'silent.example')).rejects.toMatchObject({ code: 'ETIMEOUT' })
  })

  test('a hundred names that nobody answers hold up no other', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `silent${index}.example`)
    const { asked, servers } = await openServer({ 'a.example': { a: ['192.0.2.1'] } }, names)
    const waiting = names.map((name) => ask(servers, name).catch(() => 'no answer'))
    expect(await ask(servers, 'a.example', {})).toBe('192.0.2.1')
    expect(asked).toContain('a.example')
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['no answer']))
  })

  test('what a server says of a name is judged as ever', async () => {
    const { servers } = await openServer({
      'rebind.example': { a: ['127.0.0.1'] },
      'mixed.example': { a: ['192.88.99.1', '10.0.0.1'] },
    })
    const dial = createDial({ lookup: createAskNames({ servers }) })
    for (const host of ['rebind.example', 'mixed.example'])
      await expect(dial({ host, port: 443, isNamed: true }, new AbortController().signal)).rejects.toMatchObject({
        code: 'address_refused',
      })
  })
})
