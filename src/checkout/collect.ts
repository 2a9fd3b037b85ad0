import type { Readable } from 'node:stream'
import { StepFailed } from '../errors.ts'
import type { Exit, Sandbox } from '../sandboxes/sandbox.ts'
import type { Checkout } from './checkout.ts'
import { collectScript } from './collect-script.ts'
import { identity, lastLine } from './git.ts'
import { printable } from './hear.ts'
import { type Patch, patchCapBytes } from './patch.ts'

export type CollectRequest = { checkout: Checkout; sandbox: Sandbox; signal: AbortSignal }

/** More new files than this are no change that a person reads. */
const newFileCap = 20_000
const headBytes = 200
const settings: Record<string, string> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.untrackedCache': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.autocrlf': 'false',
  'core.fileMode': 'true',
  'core.symlinks': 'true',
  'core.ignoreCase': 'false',
  'core.precomposeUnicode': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'core.fsync': 'none',
  'submodule.recurse': 'false',
  'pack.threads': '1',
  'safe.directory': '*',
  'gc.auto': '0',
}

/**
 * What the agent left in the checkout, as a patch; null when the tree is the base's. The agent's processes must be dead, and
 * `sandbox` must have been opened with `mountsFor(checkout).collector`. Throws StepFailed: `too_large`, `patch_invalid` (the
 * tree holds what git refuses), `disk_full`, `no_sandbox` (no git in it).
 */
export async function collectPatch({ checkout, sandbox, signal }: CollectRequest): Promise<Patch | null> {
  signal.throwIfAborted()
  const { tree, gitDir, base, fileCapBytes } = checkout
  const argv = ['/bin/sh', '-c', collectScript, 'collect', tree, base.commit, String(fileCapBytes), String(newFileCap)]
  const collector = await sandbox.spawn(argv, { cwd: gitDir, env: collectorEnvironment(checkout), signal })
  collector.stdin.on('error', () => {})
  collector.stdin.end()
  const [out, stderr] = await Promise.all([
    readUpTo(collector.stdout, patchCapBytes + headBytes, () => void collector.kill(0)),
    readTail(collector.stderr),
  ])
  const exit = await collector.exit
  signal.throwIfAborted()
  if (out === undefined)
    throw new StepFailed('too_large', `the change is larger than ${patchCapBytes / 1024 / 1024} MiB`)
  const failure = collectFailure(exit, stderr)
  if (failure) throw failure
  const patch = parsePatch(out)
  if (!patch || patch.base !== base.commit)
    throw new StepFailed('patch_invalid', 'the collector did not answer with a patch of this base')
  return patch.tree === base.tree ? null : patch
}

function collectorEnvironment({ tree, gitDir }: Checkout): Record<string, string> {
  const entries = Object.entries(settings)
  const variables = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  return {
    ...Object.fromEntries(variables),
    GIT_CONFIG_COUNT: String(entries.length),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_DIR: gitDir,
    GIT_WORK_TREE: tree,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_AUTHOR_DATE: '@0 +0000',
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
    GIT_COMMITTER_DATE: '@0 +0000',
  }
}

/** Why the collector's ending is not a patch. `stderr` may hold file names of the agent's choosing. */
function collectFailure({ code, signal }: Exit, stderr: string): StepFailed | undefined {
  const why = lastLine(printable(stderr)) || `ended with ${code ?? signal}`
  if (/No space left on device/.test(stderr)) return new StepFailed('disk_full', why, { retryable: true })
  if (code === 0 && !/could not open directory/.test(stderr)) return undefined
  if (code === 3) return new StepFailed('too_large', why.replace(/^overnight: /, ''))
  if (code === 5)
    return new StepFailed('no_sandbox', 'there is no git in the sandbox', { hint: 'add git to the sandbox image' })
  if (code === null)
    return new StepFailed('patch_invalid', `collecting the change was ended by ${signal}`, { retryable: true })
  return new StepFailed('patch_invalid', `the change could not be collected: ${why.replace(/^overnight: /, '')}`)
}

function parsePatch(out: Buffer): Patch | undefined {
  const end = out.subarray(0, headBytes).indexOf(10)
  const head = /^overnight-patch ([0-9a-f]{40,64}) ([0-9a-f]{40,64})$/.exec(out.toString('latin1', 0, Math.max(end, 0)))
  return head ? { base: head[1]!, tree: head[2]!, pack: out.subarray(end + 1) } : undefined
}

/** The whole stream, or undefined as soon as it is longer than `maxBytes`; the rest is read and thrown away. */
async function readUpTo(stream: Readable, maxBytes: number, tooMuch: () => void): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const before = size
    size += chunk.length
    if (size <= maxBytes) chunks.push(chunk)
    else if (before <= maxBytes) tooMuch()
  }
  return size > maxBytes ? undefined : Buffer.concat(chunks)
}

async function readTail(stream: Readable): Promise<string> {
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of stream as AsyncIterable<Buffer>) tail = Buffer.concat([tail, chunk]).subarray(-16_384)
  return tail.toString('utf8')
}
