// Tries every way out that it is told of, and tells what became of each.
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { lookup, Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect as connectSecure } from 'node:tls'

const { attempts, words } = JSON.parse(process.argv[2] ?? '{}')
const patienceMs = 2000
/** `http://run:<token>@<address>`: what leads there, and what opens it. */
const way = URL.parse(process.env['HTTPS_PROXY'] ?? '')
const model = URL.parse(process.env['ANTHROPIC_BASE_URL'] ?? '')
const relay = { host: '127.0.0.1', port: Number((way ?? model)?.port ?? 0) }
const token = way?.password ?? process.env['ANTHROPIC_API_KEY'] ?? ''
const known = { ...words, token, basic: Buffer.from(`run:${token}`).toString('base64') }
const filled = (text) => text.replaceAll(/\{(\w+)\}/g, (all, name) => known[name] ?? all)
/** Beyond this machine nothing is tried unless it must fail: there is nothing but a loopback. */
const isAlone = Object.keys(networkInterfaces()).every((name) => name === 'lo')

/** What it was answered, or why there was no connection. */
function converse(socket, first, done = () => false) {
  return new Promise((resolve) => {
    let said = ''
    const end = (how) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(said === '' ? how : said.slice(0, 400))
    }
    const timer = setTimeout(() => end('silence'), patienceMs)
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
      if (done(said)) end('')
    })
    socket.on('error', (error) => end(error.code ?? error.message))
    socket.on('close', () => end('closed'))
    socket.on('connect', () => socket.write(first, 'latin1'))
  })
}

function doorOf(to) {
  if (to === 'relay') return relay
  const [, host, port] = /^\[?([^\]/@]+?)\]?:(\d+)$/.exec(to) ?? []
  return host === undefined ? { path: to.replace(/^@/, '\0') } : { host, port: Number(port) }
}

function datagram(to, bytes) {
  const { host, port } = doorOf(to)
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  return new Promise((resolve) => {
    socket.on('error', (error) => resolve(error.code))
    socket.send(bytes, port, host, (error) => resolve(error ? error.code : 'sent'))
  }).finally(() => socket.close())
}

/** A CONNECT, and once it is let through TLS that asks for `servername`. */
async function tunnel({ to, servername, bytes }) {
  const socket = connect(relay)
  const ask = `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\nProxy-Authorization: Basic ${known.basic}\r\n\r\n`
  const answered = await new Promise((resolve) => {
    socket.once('error', (error) => resolve(error.code))
    socket.once('data', (chunk) => resolve(chunk.toString('latin1')))
    socket.once('close', () => resolve('closed'))
    socket.write(ask)
  })
  if (!answered.startsWith('HTTP/1.1 200')) return answered
  if (servername === undefined) {
    socket.write(filled(bytes), 'latin1')
    return converse(socket, '')
  }
  const secure = connectSecure({ socket, rejectUnauthorized: false, ...(servername === '' ? {} : { servername }) })
  secure.on('secureConnect', () => secure.write(filled(bytes)))
  return converse(secure, '', (said) => said.includes('\r\n\r\n'))
}

const hows = {
  /** Bytes as they are. */
  say: ({ to, bytes }) => converse(connect(doorOf(to)), filled(bytes)),
  datagram: ({ to, bytes }) => datagram(to, filled(bytes)),
  name: ({ to }) =>
    lookup(filled(to)).then(
      ({ address }) => address,
      (error) => error.code,
    ),
  async text({ to }) {
    const resolver = new Resolver({ timeout: 500, tries: 1 })
    return resolver.resolveTxt(filled(to)).then(String, (error) => error.code)
  },
  tunnel,
  program({ argv }) {
    const { error, stdout, stderr } = spawnSync(filled(argv[0]), argv.slice(1).map(filled), { timeout: 10_000 })
    return error ? error.code : `${stdout}${stderr}`.trim().slice(0, 400)
  },
}
const outcomes = {}
for (const { title, how, beyond, ...attempt } of attempts) {
  const acts = beyond && !isAlone ? () => 'there is a network' : hows[how]
  outcomes[title] = await Promise.resolve(acts(attempt)).catch((error) => String(error))
}
console.log(JSON.stringify(outcomes))
