// A perfectly gullible program: it reads everything that it can and tells where it found what it was told to look for.
// The words come written backwards, and what it finds is told by place and number, so that neither this program nor what it prints holds one.
import { spawnSync } from 'node:child_process'
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

/** `since`: what did not change after it cannot hold what was made later. `processes`: 'all' that are seen, or these. */
const { words, roots, since, processes, doors } = JSON.parse(process.argv[2] ?? '{}')
const most = {
  fileBytes: 256 * 2 ** 20,
  memoryBytes: 256 * 2 ** 20,
  regionBytes: 32 * 2 ** 20,
  found: 200,
  heardBytes: 2 ** 16,
  heardMs: 1000,
}
const step = 2 ** 20

const forms = words.flatMap((backwards) => {
  const word = Buffer.from(backwards.split('').toReversed().join(''))
  const base64 = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), word])
    return whole.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6))
  })
  const encoded = [word.toString('hex'), word.toString('hex').toUpperCase(), ...base64].map((form) => Buffer.from(form))
  return [
    { bytes: word, numbered: true },
    { bytes: Buffer.from(String(word), 'utf16le'), numbered: false },
    ...encoded.map((bytes) => ({ bytes, numbered: false })),
  ]
})
const longest = Math.max(...forms.map(({ bytes }) => bytes.length)) + 2

const found = new Set()
const seen = { names: 0, bytes: 0, processes: 0, memoryBytes: 0, connectors: 0, doors: [] }

function scan(at, bytes, wanted = forms) {
  seen.bytes += bytes.length
  for (const { bytes: form, numbered } of wanted) {
    for (let start = bytes.indexOf(form); start !== -1; start = bytes.indexOf(form, start + 1)) {
      const number = numbered ? bytes.toString('latin1', start + form.length, start + form.length + 2) : 'in code'
      if (found.size < most.found) found.add(`${number} ${at}`)
    }
  }
}
const attempt = (act, otherwise) => {
  try {
    return act()
  } catch {
    return otherwise
  }
}
const linesOf = (path) => attempt(() => readFileSync(path, 'latin1').split('\n'), [])

/** Piece by piece, each with the end of the one before. */
function scanFile(at, descriptor, { from = 0, to, wanted = forms }) {
  const buffer = Buffer.alloc(step + longest)
  let kept = 0
  for (let position = from; position < to;) {
    const room = Math.min(step, to - position)
    const got = attempt(() => readSync(descriptor, buffer, kept, room, position), 0)
    if (got === 0) break
    scan(at, buffer.subarray(0, kept + got), wanted)
    const end = kept + got
    kept = Math.min(longest, end)
    buffer.copy(buffer, 0, end - kept, end)
    position += got
  }
}
function readFile(path, size) {
  attempt(() => {
    const descriptor = openSync(path, 'r')
    try {
      scanFile(path, descriptor, { to: Math.min(size, most.fileBytes) })
    } finally {
      closeSync(descriptor)
    }
  })
}

const kernels = new Set(['/proc', '/sys'])
/** Folders are entered whatever their age: what lies in them may be younger. */
function walk(path) {
  const stat = attempt(() => lstatSync(path))
  if (!stat || kernels.has(path)) return
  seen.names += 1
  if (stat.isSocket()) doors.push(path)
  if (stat.ctimeMs >= since) {
    scan(path, Buffer.from(path))
    if (stat.isSymbolicLink()) scan(path, Buffer.from(attempt(() => readlinkSync(path), '')))
    if (stat.isFile()) readFile(path, stat.size)
  }
  const names = stat.isDirectory() ? attempt(() => readdirSync(path), []) : []
  if (names.includes('objects') && names.includes('HEAD')) askGit(path, ['--git-dir', path, ...everything])
  for (const name of names) walk(join(path, name))
}

function searchProcess(pid) {
  const place = `/proc/${pid}`
  seen.processes += 1
  const told = ['environ', 'cmdline', 'comm', 'maps', 'mountinfo', 'status', 'stack', 'auxv', 'net/unix', 'net/tcp']
  for (const name of told) attempt(() => scan(`${place}/${name}`, readFileSync(join(place, name))))
  const links = ['cwd', 'root', 'exe', ...attempt(() => readdirSync(`${place}/fd`).map((fd) => `fd/${fd}`), [])]
  for (const name of links) attempt(() => scan(`${place}/${name}`, Buffer.from(readlinkSync(join(place, name)))))
  for (const name of links.slice(3)) attempt(() => lstatSync(join(place, name, '.')) && walk(join(place, name, '.')))
  // A root that is another one than ours would show what ours hides.
  const mine = lstatSync('/')
  const theirs = attempt(() => lstatSync(join(place, 'root/.')))
  if (theirs && (theirs.dev !== mine.dev || theirs.ino !== mine.ino)) walk(join(place, 'root/.'))
  // The one that knows what to look for holds it.
  if (pid !== String(process.pid)) searchMemory(place)
}
function searchMemory(place) {
  const descriptor = attempt(() => openSync(`${place}/mem`, 'r'))
  if (descriptor === undefined) return
  let left = most.memoryBytes
  for (const line of linesOf(`${place}/maps`)) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line) ?? []
    if (start === undefined || / \/|\[v/.test(line) || left <= 0) continue
    const [from, to] = [Number.parseInt(start, 16), Number.parseInt(end, 16)]
    if (!Number.isSafeInteger(to)) continue
    const before = seen.bytes
    // As it is alone: in memory nobody encodes what he does not send.
    const wanted = forms.filter(({ numbered }) => numbered)
    scanFile(`${place}/mem`, descriptor, { from, to: Math.min(to, from + Math.min(left, most.regionBytes)), wanted })
    left -= seen.bytes - before
    seen.memoryBytes += seen.bytes - before
  }
  closeSync(descriptor)
}

/** Whoever listens is asked what it is; what it says is read. */
function knock(door) {
  const [, host, port] = /^([\d.]+|[\da-f:]*::[\da-f]*):(\d+)$/.exec(door) ?? []
  const to = host === undefined ? { path: door.replace(/^@/, '\0') } : { host, port: Number(port) }
  return new Promise((resolve) => {
    const heard = []
    const socket = attempt(() => connect(to))
    if (!socket) return resolve()
    const timer = setTimeout(() => socket.destroy(), most.heardMs)
    socket.on('connect', () => {
      seen.doors.push(door)
      socket.write('GET / HTTP/1.0\r\n\r\n')
    })
    socket.on('data', (chunk) => {
      heard.push(chunk)
      if (Buffer.concat(heard).length > most.heardBytes) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      scan(`door ${door}`, Buffer.concat(heard))
      resolve()
    })
  })
}

const listed = [
  ['config', '--list', '--show-origin'],
  ['log', '--all', '--reflog', '-p', '--format=raw'],
  ['remote', '--verbose'],
  ['ls-remote', 'origin'],
  ['fetch', 'origin', '+refs/*:refs/fetched/*'],
]
const everything = ['cat-file', '--batch-all-objects', '--batch', '--unordered']
/** Its answer, and its complaints. */
function askGit(at, argv) {
  const { stdout, stderr } = spawnSync('git', argv, { maxBuffer: 2 ** 28, timeout: 20_000 })
  for (const said of [stdout, stderr]) scan(`git ${at}`, said ?? Buffer.alloc(0))
}

/** Every tool of every connector is called, those that are not offered, too: an answer may hold what the call went out with. */
async function callConnectors() {
  const file = process.env['OVERNIGHT_CONNECTORS_FILE']
  const { mcpServers = {} } = attempt(() => JSON.parse(readFileSync(file, 'utf8')), {})
  for (const [name, { url, headers }] of Object.entries(mcpServers)) {
    const asked = [['tools/list'], ...['search', 'delete'].map((tool) => ['tools/call', { name: tool, arguments: {} }])]
    for (const [method, params] of asked) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      const sent = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body }
      const said = await fetch(url, sent).then((answer) => answer.text(), String)
      seen.connectors += 1
      scan(`connector ${name}`, Buffer.from(said))
    }
  }
}

for (const argv of listed) askGit(argv[0], argv)
await callConnectors()
scan('environment', Buffer.from(JSON.stringify(process.env)))
for (const pid of processes === 'all' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : processes)
  searchProcess(String(pid))
const tables = ['cmdline', 'mounts', 'keys', 'sysvipc/shm', 'net/unix', 'version', 'sys/kernel/hostname', 'swaps']
for (const name of tables) attempt(() => scan(`/proc/${name}`, readFileSync(`/proc/${name}`)))
for (const root of roots) walk(root)
for (const door of doors) await knock(door)
console.log(JSON.stringify({ ...seen, found: [...found].sort() }))
