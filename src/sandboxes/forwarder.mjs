// Runs inside a sandbox, beside the command: a port of 127.0.0.1 there is a unix socket of the host.
// Plain JavaScript without imports of ours: it is the only file of this program that a sandbox sees.
import { closeSync, openSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const [socket, port] = process.argv.slice(2)

// A command that is asked to stop still needs its way out. The end of the first process is the end of this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)

const server = createServer({ allowHalfOpen: true }, (client) => {
  const host = connect({ path: socket, allowHalfOpen: true })
  client.pipe(host).pipe(client)
  for (const [one, other] of [
    [client, host],
    [host, client],
  ])
    one.on('error', () => undefined).on('close', () => other.destroy())
})
server.on('error', (error) => {
  process.stdout.write(error.message)
  process.exit(1)
})
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write('forwarding')
  // Whoever started this waits for the end of its output; the numbers must not be given to a connection.
  for (const output of [1, 2]) {
    closeSync(output)
    openSync('/dev/null', 'w')
  }
})
