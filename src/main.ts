import { text } from 'node:stream/consumers'
import { runCli } from './cli/program.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  input: () => {
    if (process.stdin.isTTY) process.stderr.write('type it, a new line, and Ctrl-D\n')
    return text(process.stdin)
  },
  isTerminal: process.stdout.isTTY,
  onSignal: (stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  },
})
// Nothing may hold a finished command open: a socket to the service kept alive, say.
if (process.stdout.writableLength === 0) process.exit()
