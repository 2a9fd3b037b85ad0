import { pipeline } from 'node:stream/promises'
import type { Exit, Sandbox, SandboxProcess } from '../../sandboxes/sandbox.ts'
import { lastLine } from '../git.ts'
import { printable } from '../hear.ts'
import type { Result } from './results.ts'

/** Where results are made and put back: `folder` holds the checkout and HOME, and is what names in an archive begin from. */
export type SetupPlace = { sandbox: Pick<Sandbox, 'spawn'>; folder: string; cwd: string; signal: AbortSignal }

/** Exit codes: 3 nothing is there, 4 no tar. */
const packScript = `
cd -- "$1" || exit 1
shift
for path do
  shift
  if [ -e "$path" ] || [ -h "$path" ]; then set -- "$@" "$path"; fi
done
[ "$#" -gt 0 ] || exit 3
command -v tar >/dev/null 2>&1 || exit 4
exec tar -cf - "$@"`
const unpackScript = 'cd -- "$1" && exec tar -xpof -'
const clearScript = 'cd -- "$1" && shift && { chmod -R u+rwx "$@" 2>/dev/null; rm -rf -- "$@"; }'

/** Hands what `roots` hold to `write`, as an archive; why it is none. A `write` that answers false has had enough. */
export async function pack(
  place: SetupPlace,
  roots: readonly string[],
  write: (chunk: Buffer) => Promise<boolean>,
): Promise<{ why: string } | undefined> {
  const tar = await start(place, packScript, roots)
  const failure = tail(tar)
  tar.stdin.end()
  let isEnough = false
  for await (const chunk of tar.stdout as AsyncIterable<Buffer>) {
    if (isEnough || (await write(chunk))) continue
    isEnough = true
    void tar.kill(0)
  }
  const exit = await tar.exit
  place.signal.throwIfAborted()
  if (isEnough) return { why: 'it is too large' }
  return exit.code === 0 ? undefined : { why: whyNotPacked(exit, await failure) }
}

function whyNotPacked(exit: Exit, said: string): string {
  if (exit.code === 3) return 'nothing of it is there'
  if (exit.code === 4) return 'there is no tar in the sandbox'
  return `tar ended with ${exit.code ?? exit.signal}: ${said}`
}

/** Puts an archive back; what of it was written goes again when that fails, and the answer says why. */
export async function unpack(
  place: SetupPlace,
  roots: readonly string[],
  result: Result,
): Promise<{ why: string } | undefined> {
  const tar = await start(place, unpackScript, [])
  const failure = tail(tar)
  tar.stdout.resume()
  // One that ends early says why by itself.
  await pipeline(result.read(), tar.stdin).catch(() => undefined)
  const exit = await tar.exit
  place.signal.throwIfAborted()
  if (exit.code === 0) return undefined
  const clear = await start(place, clearScript, roots)
  clear.stdin.end()
  await clear.exit
  place.signal.throwIfAborted()
  return { why: `tar ended with ${exit.code ?? exit.signal}: ${await failure}` }
}

function start({ sandbox, folder, cwd, signal }: SetupPlace, script: string, roots: readonly string[]) {
  const argv = ['/bin/sh', '-c', script, 'setup', folder, ...roots]
  return sandbox.spawn(argv, { cwd, env: { LC_ALL: 'C' }, signal })
}

async function tail({ stderr }: SandboxProcess): Promise<string> {
  let said: Buffer = Buffer.alloc(0)
  for await (const chunk of stderr as AsyncIterable<Buffer>) said = Buffer.concat([said, chunk]).subarray(-4096)
  return lastLine(printable(said.toString('utf8')))
}
