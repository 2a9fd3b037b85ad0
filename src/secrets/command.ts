import { spawn } from 'node:child_process'
import { messageOf } from '../errors.ts'
import { mostBytes, type Secret, type SecretSource } from './secret-source.ts'

export type CommandSource = {
  /** The name of the secret is added as its last argument; no shell. */
  argv: readonly string[]
  /** The operator's own: the command finds its programs and its sign-in there, and nothing else of ours. */
  env: { PATH: string; HOME: string }
  limitMs?: number
  /** Monotonic. */
  now?: () => number
}

const limitMs = 10_000
/** A vault is not asked for each event; the price: what it changes counts that much later. */
const keptMs = 5 * 60_000

/** A program of the operator that prints the secret on stdout: a client of a vault, `pass`, `op read`. One line end at its end is cut. */
export function createCommandSource(command: CommandSource): SecretSource {
  const { now = () => performance.now() } = command
  const known = new Map<string, { until: number; secret: Promise<Secret> }>()

  function ask(name: string): Promise<Secret> {
    const secret = run(command, name)
    const entry = { until: now() + keptMs, secret }
    known.set(name, entry)
    // A vault that was locked is asked again at once.
    void secret.then((answer) => {
      if ('missing' in answer && known.get(name) === entry) known.delete(name)
    })
    return secret
  }
  return {
    find(name) {
      const kept = known.get(name)
      return kept && kept.until > now() ? kept.secret : ask(name)
    },
  }
}

/** Why nothing can be asked of it. What it says of a name that nobody gave a secret is its own affair. */
export async function whyCommandFails(command: CommandSource): Promise<string | undefined> {
  return hear(command, 'OVERNIGHT_DOCTOR').then(
    ({ late }) => (late ? 'it took too long' : undefined),
    (error: unknown) => messageOf(error),
  )
}

type Ended = { code: number | null; signal: NodeJS.Signals | null; late: boolean; stdout: Buffer; stderr: string }

async function run(command: CommandSource, name: string): Promise<Secret> {
  const program = command.argv[0] ?? ''
  const failed = (why: string): Secret => ({
    missing: `OVERNIGHT_SECRET_COMMAND (${program}) gave no ${name}: ${why}`,
  })
  try {
    const { code, signal, late, stdout, stderr } = await hear(command, name)
    if (late) return failed('it took too long')
    if (stdout.length > mostBytes) return failed(`it printed more than ${mostBytes / 1024} KiB`)
    if (code !== 0) return failed(stderr || `it ended with ${code ?? signal}`)
    const value = stdout.toString('utf8').replace(/\r?\n$/, '')
    return value === '' ? failed('it printed nothing') : { value }
  } catch (error) {
    return failed(messageOf(error))
  }
}

/** Rejects when it cannot be started. */
function hear({ argv, env, limitMs: limit = limitMs }: CommandSource, name: string): Promise<Ended> {
  const [program = '', ...rest] = argv
  return new Promise((resolve, reject) => {
    // A group of its own, so that ending it also ends what it started.
    const child = spawn(program, [...rest, name], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const told = { late: false, bytes: 0, chunks: [] as Buffer[], stderr: '' }
    const end = () => {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It is already gone.
      }
      // What it started elsewhere may hold these open.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const timer = setTimeout(() => {
      told.late = true
      end()
    }, limit)
    child.stdout.on('data', (chunk: Buffer) => {
      told.bytes += chunk.length
      told.chunks.push(chunk)
      if (told.bytes > mostBytes) end()
    })
    child.stderr.on('data', (chunk: Buffer) => (told.stderr = (told.stderr + chunk.toString('utf8')).slice(-2000)))
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const { late, chunks, stderr } = told
      resolve({ code, signal, late, stdout: Buffer.concat(chunks), stderr: lastLine(stderr) })
    })
  })
}

function lastLine(text: string): string {
  const lines = text.replaceAll(/[^\P{C}\n]/gu, ' ').split('\n')
  return (lines.findLast((line) => line.trim() !== '') ?? '').trim().slice(0, 200)
}
