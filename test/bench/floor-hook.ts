import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'

/**
 * What no service could do without, and nothing more: node:http, the signature, JSON.parse, one row on disk, 202. Argument: the
 * database; the secret is in HOOK_SECRET. Prints `up at <url>`.
 */
const pool = new pg.Pool({ connectionString: process.argv[2]!, max: 10 })
await pool.query('create table if not exists floor (id text primary key, body bytea not null)')
const secret = process.env['HOOK_SECRET']!

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)
    const given = Buffer.from(String(request.headers['x-hub-signature-256']))
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return response.writeHead(401).end()
    JSON.parse(body.toString('utf8'))
    pool.query('insert into floor values ($1, $2)', [request.headers['x-github-delivery'], body]).then(
      () => response.writeHead(202).end('{}'),
      () => response.writeHead(503).end('{}'),
    )
  })
})
server.listen(0, '127.0.0.1', () => console.log(`up at http://127.0.0.1:${(server.address() as AddressInfo).port}`))
